"""Events that are over: completed some time after their date, and then nothing about them changes."""

from datetime import timedelta

import pytest

from functions.events import repository
from functions.events.database import database
from functions.events.jobs import complete_events
from functions.events.settings import COMPLETE_LIMIT
from shared.clock import now
from shared.database import Sql
from tests import sweeping
from tests.programme import Programme, details
from tests.support import context


def completed() -> int:
    return int(complete_events.handler({}, context())["handled"])


def days_ago(programme: Programme, event: dict[str, object], days: float) -> None:
    programme.db.run(
        "UPDATE events SET event_date = now() - make_interval(secs => %(seconds)s) WHERE id = %(id)s",
        seconds=days * 86_400,
        id=event["id"],
    )


def status(programme: Programme, event: dict[str, object]) -> object:
    return programme.ask("my_event", id=str(event["id"]), user=programme.organizer).body["status"]


def test_a_published_event_is_completed_a_day_after_its_date_and_tickets_are_told(
    programme: Programme,
) -> None:
    over, running = programme.published(name="Over"), programme.published(name="Running")
    draft, cancelled = programme.draft(), programme.cancelled()
    for event, days in ((over, 1.01), (running, 0.99), (draft, 9), (cancelled, 9)):
        days_ago(programme, event, days)
    programme.ask("get_event", id=over["id"])  # so that it is in the cache

    assert completed() == 1
    assert [status(programme, event) for event in (over, running, draft, cancelled)] == [
        "COMPLETED",
        "PUBLISHED",
        "DRAFT",
        "CANCELLED",
    ]
    told = programme.aws.messages("events")[-1]
    assert (told["type"], told["subject"]) == ("events.event_updated.v1", over["id"])
    assert (told["data"]["status"], told["sequence"]) == ("COMPLETED", over["version"] + 1)
    assert programme.ask("get_event", id=over["id"]).body["status"] == "COMPLETED"
    assert completed() == 0


def test_a_completed_event_is_not_changed_cancelled_deleted_or_published_any_more(
    programme: Programme,
) -> None:
    event = programme.published(name="Gala")
    days_ago(programme, event, 2)
    completed()

    for route, body in (
        ("update_event", details()),
        ("cancel_event", {"reason": "Rain"}),
        ("delete_event", None),
        ("publish_event", None),
        ("upload_image", {"contentType": "image/png", "size": 9}),
    ):
        reply = programme.ask(route, body, id=event["id"], user=programme.organizer)
        assert (reply.status, reply.code) == (409, "EVENT_OVER"), route
    assert programme.ask("list_events").body["items"] == []
    assert programme.found("gala") == []


def test_a_run_completes_so_many_and_the_next_one_goes_on(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(COMPLETE_LIMIT, "_value", 2)
    monkeypatch.setattr(COMPLETE_LIMIT, "_good_until", float("inf"))
    for days in (3, 5, 4):
        days_ago(programme, programme.published(), days)

    assert [completed(), completed(), completed()] == [2, 1, 0]


def test_two_runs_at_once_complete_different_ones(programme: Programme) -> None:
    for _ in range(3):
        days_ago(programme, programme.published(), 3)

    def take(sql: Sql, limit: int) -> int:
        return len(repository.complete(sql, now() - timedelta(days=1), now(), limit))

    assert sweeping.runs(database, take, limit=2) == (2, 1, 0)
