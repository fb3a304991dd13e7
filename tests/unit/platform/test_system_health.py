"""The system's health is that of its services, asked at once and not for long."""

import threading
import time
from typing import Any

import pytest

from functions.platform.databases import SERVICES
from functions.platform.system_health import ask_all
from shared.errors import Unavailable

WELL = {"status": "ok", "dependencies": {"database": "ok"}}


def test_it_is_well_when_every_service_is() -> None:
    health = ask_all(lambda _service, _path: WELL, seconds=5)

    assert health.services == dict.fromkeys(SERVICES, "ok")
    assert health.dependencies["tickets"] == {"database": "ok"}


def test_it_asks_each_service_for_its_own_health() -> None:
    asked: set[tuple[str, str]] = set()

    def get(service: str, path: str) -> dict[str, Any]:
        asked.add((service, path))
        return WELL

    ask_all(get, seconds=5)

    assert asked == {(service, f"/api/health/{service}") for service in SERVICES}


def test_it_says_which_service_is_down() -> None:
    def get(service: str, _path: str) -> dict[str, Any]:
        if service == "payments":
            raise Unavailable("payments")
        return WELL

    with pytest.raises(Unavailable) as refusal:
        ask_all(get, seconds=5)

    states = {detail.field: detail.message for detail in refusal.value.details}
    assert states == dict.fromkeys(SERVICES, "ok") | {"payments": "down"}


def test_a_service_that_hangs_holds_nobody_up() -> None:
    released = threading.Event()

    def get(service: str, _path: str) -> dict[str, Any]:
        if service == "auth":
            released.wait(10)
        return WELL

    started = time.monotonic()
    with pytest.raises(Unavailable) as refusal:
        ask_all(get, seconds=0.2)
    released.set()

    assert time.monotonic() - started < 2
    assert [detail.field for detail in refusal.value.details if detail.message == "down"] == ["auth"]
