"""An export: asked for, put together from every service's part, and mailed as a link."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import urllib3

from functions.auth import exporting, privacy_repository
from functions.auth.database import database
from functions.auth.jobs import ask_for_exports, forget_expired
from functions.auth.routes import download_export
from functions.auth.settings import EXPORT_ASK_AGAIN_LIMIT
from shared.clock import now
from shared.contracts import ExportPartReady
from shared.database import Sql
from shared.identity import User
from tests import sweeping
from tests.integration.auth.exports import BUCKET, Office
from tests.people import PASSWORD, Desk
from tests.support import Reply, call, context

OTHERS = ("events", "tickets", "payments", "notifications")


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("EXPORTS_BUCKET", BUCKET)
    return Office(desk)


@pytest.fixture
def user(desk: Desk) -> User:
    return desk.user(desk.signed_in(desk.person(firstName="Ada"))["accessToken"])


def asked(desk: Desk, user: User) -> UUID:
    assert desk.ask("export_profile", user=user).status == 202
    return UUID(desk.mailed("auth.export_requested.v1")["exportId"])


def parts(office: Office, export_id: UUID, user: User, *services: str) -> None:
    for service in services or OTHERS:
        office.put(f"{export_id}/{service}.json", {"things": [service]})
        office.hear(ExportPartReady(export_id=export_id, user_id=user.id, service=service))


def open_link(token: str) -> Reply:
    return call(download_export.handler, "GET", f"/api/auth/exports/{token}")


def test_every_part_is_in_one_file_behind_a_link_that_is_mailed_once(
    desk: Desk, office: Office, user: User
) -> None:
    export_id = asked(desk, user)
    office.work()
    assert [f"{export_id}/auth.json"] == list(office.files())
    parts(office, export_id, user)
    parts(office, export_id, user, "tickets")
    office.work()

    [ready] = [message["data"] for message in desk.said("auth.export_ready.v1")]
    assert (ready["userId"], ready["firstName"]) == (str(user.id), "Ada")
    reply = open_link(ready["token"])
    assert (reply.status, reply.headers["Cache-Control"]) == (303, "no-store")
    file: dict[str, Any] = urllib3.request("GET", reply.headers["Location"]).json()
    assert [file[service] for service in OTHERS] == [{"things": [service]} for service in OTHERS]
    [profile] = file["auth"]["profile"]
    assert profile["first_name"] == "Ada"
    assert "password_hash" not in profile
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in reply.headers["Location"]


def test_a_link_ends_and_is_kept_as_a_hash_alone(desk: Desk, office: Office, user: User) -> None:
    export_id = asked(desk, user)
    office.work()
    parts(office, export_id, user)
    token = desk.mailed("auth.export_ready.v1")["token"]
    assert token not in str(desk.db.all("SELECT * FROM exports")) + str(desk.db.all("SELECT * FROM outbox"))

    desk.db.run("UPDATE exports SET expires_at = %(past)s", past=now() - timedelta(seconds=1))

    assert open_link(token).code == open_link("none").code == "NOT_FOUND"


def test_one_export_at_a_time_and_three_a_day(desk: Desk, office: Office, user: User) -> None:
    for earlier in range(3):
        export_id = asked(desk, user)
        refused = desk.ask("export_profile", user=user)
        assert refused.code == ("EXPORT_UNDER_WAY" if earlier < 2 else "TOO_MANY_REQUESTS")
        office.work()
        parts(office, export_id, user)

    refused = desk.ask("export_profile", user=user)

    assert (refused.status, refused.code) == (429, "TOO_MANY_REQUESTS")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400


def test_a_part_that_is_missing_for_long_is_asked_for_again(desk: Desk, office: Office, user: User) -> None:
    export_id = asked(desk, user)
    assert ask_for_exports.handler({}, context()) == {"handled": 0}
    desk.db.run("UPDATE exports SET asked_at = asked_at - interval '6 minutes'")

    assert ask_for_exports.handler({}, context()) == {"handled": 1}
    assert ask_for_exports.handler({}, context()) == {"handled": 0}

    requests = [message["data"]["exportId"] for message in desk.said("auth.export_requested.v1")]
    assert requests == [str(export_id)] * 2
    office.work()
    parts(office, export_id, user)
    assert len(desk.said("auth.export_ready.v1")) == 1


def test_one_run_asks_for_a_limited_number_and_two_at_once_for_different_ones(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        asked(desk, desk.user(desk.signed_in(desk.person())["accessToken"]))

    def take(sql: Sql, limit: int) -> int:
        monkeypatch.setattr(EXPORT_ASK_AGAIN_LIMIT, "_value", limit)
        monkeypatch.setattr(EXPORT_ASK_AGAIN_LIMIT, "_good_until", float("inf"))
        monkeypatch.setenv("SETTINGS_PREFIX", "/box-office/dev")
        return exporting.ask_again(sql, at)

    at = now() + timedelta(minutes=6)
    assert sweeping.runs(database, take, limit=2) == (2, 1, 0)


def test_one_run_gives_up_a_limited_number_and_two_at_once_different_ones(desk: Desk) -> None:
    for _ in range(3):
        asked(desk, desk.user(desk.signed_in(desk.person())["accessToken"]))

    def give_up(sql: Sql, limit: int) -> int:
        return privacy_repository.give_up_exports(sql, now(), limit)

    assert sweeping.runs(database, give_up, limit=2) == (2, 1, 0)


def test_an_export_that_a_service_never_answers_is_given_up_and_forgotten(
    desk: Desk, office: Office, user: User
) -> None:
    asked(desk, user)
    desk.db.run("UPDATE exports SET requested_at = requested_at - interval '49 hours'")
    assert ask_for_exports.handler({}, context()) == {"handled": 0}
    assert [row["status"] for row in desk.db.all("SELECT status FROM exports")] == ["FAILED"]

    asked(desk, user)
    desk.db.run("UPDATE exports SET requested_at = requested_at - interval '31 days'")
    forget_expired.handler({}, context())

    assert desk.db.all("SELECT 1 FROM exports") == []


@pytest.mark.parametrize("when", ["before its parts", "with its file"])
def test_an_erased_user_leaves_no_file_however_late_a_part_comes(
    desk: Desk, office: Office, user: User, when: str
) -> None:
    export_id = asked(desk, user)
    office.work()
    parts(office, export_id, user, *(OTHERS if when == "with its file" else OTHERS[:2]))
    assert office.files()

    assert desk.ask("erase_profile", {"password": PASSWORD}, user=user).status == 202
    office.work()
    assert office.files() == {}
    parts(office, export_id, user, "notifications")

    assert office.files() == {}
    if when == "with its file":
        assert open_link(desk.mailed("auth.export_ready.v1")["token"]).code == "NOT_FOUND"
