"""Feature flags: defaults that hold when nobody can be asked, and shares of users that stay the same users."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from shared import flags
from shared.flags import Flag
from tests.cloud import Extension

ROOT = Path(__file__).resolve().parents[3]
USERS = [uuid5(UUID(int=0), str(number)) for number in range(2000)]
NEW = Flag("new", False, "Something that is tried")
ORDER = Flag("order", ["first", "second"], "An order of choice", among=("first", "second"))


def for_a_share(extension: Extension, percent: int) -> set[UUID]:
    """Turn `new` on for so many per cent, as an operator does; the users who have it then."""
    share = {"BASE": 100, "START": 0, "END": percent - 1}
    condition = {"action": "MODULO_RANGE", "key": "bucket", "value": share}
    extension.flags["new"] = {
        "default": False,
        "rules": {f"{percent} %": {"when_match": True, "conditions": [condition]}},
    }
    flags.forget()
    return {user for user in USERS if NEW(user)}


def test_without_a_document_the_default_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLAGS_PATH", raising=False)

    assert NEW() is False


def test_what_the_document_does_not_name_has_its_default(extension: Extension) -> None:
    assert (NEW(), ORDER()) == (False, ["first", "second"])


def test_what_the_document_says_counts(extension: Extension) -> None:
    extension.turn("new", True)
    extension.turn("order", ["second"])

    assert (NEW(), ORDER()) == (True, ["second"])


def test_a_value_of_another_kind_is_not_taken(extension: Extension) -> None:
    extension.turn("order", True)

    assert ORDER() == ["first", "second"]


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_a_share_is_about_as_large_as_it_is_meant_to_be(extension: Extension, percent: int) -> None:
    have = len(for_a_share(extension, percent))

    assert abs(have - len(USERS) * percent / 100) < 4 * (len(USERS) * percent / 100) ** 0.5


def test_who_is_in_stays_in_while_the_share_grows(extension: Extension) -> None:
    have: set[UUID] = set()
    for percent in (1, 5, 25, 60, 100):
        more = for_a_share(extension, percent)
        assert have <= more
        have = more
    assert have == set(USERS)


def test_a_share_is_of_users_and_not_of_whoever_asks(extension: Extension) -> None:
    for_a_share(extension, 99)

    assert NEW() is False


def test_each_flag_draws_its_own_users() -> None:
    first = {user for user in USERS if flags.bucket("one", user) < 1000}
    second = {user for user in USERS if flags.bucket("two", user) < 1000}

    assert 0 < len(first & second) < len(first) / 2


def test_a_user_s_place_is_the_same_in_every_function_of_every_version() -> None:
    """The number is written down: another hash would give every user of a share another place."""
    assert flags.bucket("paypal", UUID(int=1)) == 4007


def test_one_user_can_be_named(extension: Extension) -> None:
    condition = {"action": "IN", "key": "user", "value": [str(USERS[0])]}
    extension.flags["new"] = {
        "default": False,
        "rules": {"us": {"when_match": True, "conditions": [condition]}},
    }
    flags.forget()

    assert [NEW(USERS[0]), NEW(USERS[1])] == [True, False]


class TestAppConfigIsAway:
    """The extension does not answer, or with something that cannot be right."""

    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(flags, "REFRESH_SECONDS", -1)

    def test_what_was_known_stays_in_force(
        self, extension: Extension, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        extension.turn("new", True)
        assert NEW() is True

        monkeypatch.setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "1")

        assert NEW() is True

    @pytest.mark.parametrize("document", [{"new": {"default": "perhaps"}}, {"new": {}}, ["new"]])
    def test_a_document_that_cannot_be_is_not_taken(self, extension: Extension, document: Any) -> None:
        extension.turn("new", True)
        assert NEW() is True

        extension.flags = document

        assert NEW() is True

    def test_it_is_counted(
        self, extension: Extension, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "1")

        assert NEW() is False
        assert '"FlagsUnavailable"' in capsys.readouterr().out


def test_the_document_is_asked_for_once_in_some_seconds(
    extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def read(path: str) -> dict[str, Any]:
        asked.append(path)
        return {"new": {"default": True}}

    monkeypatch.setattr(flags, "_read", read)
    flags.forget()

    assert [NEW() for _ in range(50)] == [True] * 50
    assert len(asked) == 1


def test_a_flag_costs_no_boto3() -> None:
    program = "import os, sys; os.environ['FLAGS_PATH'] = '/flags'; from shared import maintenance; "
    program += "maintenance.refuse(); print('boto3' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "layers/shared/python"), "AWS_APPCONFIG_EXTENSION_HTTP_PORT": "1"}

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)

    assert done.stdout.splitlines()[-1:] == ["False"], done.stderr
