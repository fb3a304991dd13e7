"""Saving an event: every wrong field is named at once, and what was read is what is saved."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.programme import Programme, details

DESCRIBED = ("name", "description", "eventDate", "timeZone", "venueName", "venueAddress", "category")


def saved_again(programme: Programme, event: dict[str, Any]) -> dict[str, Any]:
    """PUT what GET gave."""
    body = {name: event[name] for name in DESCRIBED}
    reply = programme.ask("update_event", body, id=event["id"], user=programme.organizer)
    assert reply.status == 200, reply
    changed: dict[str, Any] = reply.body
    return changed


@pytest.mark.parametrize("route", ["create_event", "update_event"])
def test_an_unknown_category_is_named_together_with_every_other_wrong_field(
    programme: Programme, route: str
) -> None:
    event_id = programme.draft()["id"]

    def wrong(**changes: Any) -> set[str]:
        reply = programme.ask(route, details(**changes), id=event_id, user=programme.organizer)
        assert reply.status == 400
        named = [detail["field"] for detail in reply.body["error"]["details"]]
        assert len(named) == len(set(named))
        return set(named)

    assert wrong(category="Knitting") == {"category"}
    assert wrong(category="Knitting", name="", timeZone="Nowhere") == {"category", "name", "timeZone"}
    assert wrong(category="x" * 101, name="") == {"category", "name"}
    assert wrong(category=7, name="") == {"category", "name"}
    assert wrong(category=" mUSIC ", name="") == {"name"}
    assert wrong(category=None, name="") == {"name"}


def test_a_body_that_is_no_object_is_bad_input(programme: Programme) -> None:
    for body in (["no", "object"], "text", 7):
        assert programme.ask("create_event", body, user=programme.organizer).status == 400


def test_a_category_is_found_in_any_case_and_spelled_as_it_is(programme: Programme) -> None:
    programme.published(name="Gala", category=" MUSIC ")

    for asked in ("music", "MUSIC", " Music "):
        (found,) = programme.ask("list_events", query={"category": asked}).body["items"]
        assert found["category"] == "Music"
        searched = programme.ask("search_events", query={"q": "gala", "category": asked}).body
        assert [item["category"] for item in searched["items"]] == ["Music"]
        assert searched["facets"]["categories"] == [{"category": "Music", "count": 1}]


YEAR = datetime.now(UTC).year + 1


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Vienna", f"{YEAR}-06-01T20:00:00+02:00"),
        ("Europe/Vienna", f"{YEAR}-12-01T20:00:00+01:00"),
        ("Europe/Vienna", "2037-10-25T02:30:00+02:00"),  # the hour that comes twice, first
        ("Europe/Vienna", "2037-10-25T02:30:00+01:00"),  # and again
        ("America/New_York", "2037-03-08T01:59:59-05:00"),  # before the hour that is left out
        ("America/New_York", "2037-03-08T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2037-04-05T01:45:00+11:00"),  # half an hour comes twice
        ("Asia/Kathmandu", f"{YEAR}-06-01T20:00:00+05:45"),
        ("Pacific/Kiritimati", f"{YEAR}-01-01T00:00:00+14:00"),
        ("Africa/Casablanca", f"{YEAR}-06-01T20:00:00.123456+01:00"),  # finer than instants are shown
        ("UTC", f"{YEAR}-06-01T00:00:00Z"),
    ],
)
def test_saving_an_event_never_moves_it(programme: Programme, zone: str, local: str) -> None:
    event = programme.draft(eventDate=local, timeZone=zone)
    kept = programme.db.all("SELECT event_date FROM events")
    for _ in range(3):
        event = saved_again(programme, event)

    assert programme.db.all("SELECT event_date FROM events") == kept
    assert event["timeZone"] == zone
    shown, meant = datetime.fromisoformat(event["eventDate"]), datetime.fromisoformat(local)
    assert abs((shown - meant).total_seconds()) < 0.001
    assert shown.astimezone(ZoneInfo(zone)).utcoffset() == meant.astimezone(ZoneInfo(zone)).utcoffset()
