"""Settings: what an operator says, else what was in force, else what was deployed."""

import json

import pytest

from shared import settings
from shared.settings import Setting
from tests.cloud import Extension


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of settings, to be set."""
    now = [1000.0]
    monkeypatch.setattr("shared.settings.time.monotonic", lambda: now[0])
    return now


def hold_seconds() -> Setting[int]:
    return Setting("hold_seconds", 600, "Seconds for which a reservation holds its seats")


def test_without_a_parameter_store_the_default_is_in_force() -> None:
    assert hold_seconds()() == 600


def test_the_value_of_parameter_store_is_believed_for_a_minute(
    extension: Extension, clock: list[float]
) -> None:
    setting = hold_seconds()
    extension.parameters["hold_seconds"] = "60"
    assert setting() == 60
    extension.parameters["hold_seconds"] = "90"

    clock[0] += settings.REFRESH_SECONDS
    assert setting() == 60
    clock[0] += 1
    assert setting() == 90


def test_a_value_stays_in_force_while_parameter_store_is_away(
    extension: Extension, clock: list[float]
) -> None:
    setting = hold_seconds()
    extension.parameters["hold_seconds"] = "60"
    setting()
    del extension.parameters["hold_seconds"]

    clock[0] += settings.REFRESH_SECONDS + 1

    assert setting() == 60


def test_a_function_that_was_never_told_goes_by_the_default_says_so_and_asks_again_soon(
    extension: Extension, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    setting = hold_seconds()

    assert setting() == 600

    assert "SettingsNotRead" in capsys.readouterr().out
    extension.parameters["hold_seconds"] = "60"
    assert setting() == 600  # not asked at every call, when so many ask
    clock[0] += settings.ASK_AGAIN_SECONDS + 1
    assert setting() == 60


def test_a_function_that_was_never_told_goes_by_what_its_stage_says(
    extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.AS_DEPLOYED, json.dumps({"hold_seconds": "300"}))

    assert hold_seconds()() == 300
    assert Setting("pay_seconds", 900, "Seconds to pay")() == 900
