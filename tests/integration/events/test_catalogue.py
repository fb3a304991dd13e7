"""What everybody sees: lists, single events, categories; fresh although cached."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from functions.events import event_cache
from functions.events.cache import cache
from functions.events.database import database
from functions.events.models import Event
from shared.clock import now
from shared.identity import Role, User
from tests.programme import Programme, details, in_days
from tests.support import a_user


def test_the_public_sees_published_and_cancelled_events_but_no_drafts(programme: Programme) -> None:
    draft, published, cancelled = programme.draft(), programme.published(), programme.cancelled()

    assert programme.ask("get_event", id=draft["id"]).status == 404
    assert programme.ask("get_event", id=published["id"]).body == published
    assert programme.ask("get_event", id=cancelled["id"]).body["status"] == "CANCELLED"
    assert programme.ask("get_event", id=str(uuid4())).status == 404
    assert programme.ask("get_event", id="x").fields == {"id"}


def test_the_list_holds_what_is_published_and_still_to_come_the_next_first(programme: Programme) -> None:
    programme.draft()
    programme.cancelled()
    programme.begun(programme.published())
    later, sooner = programme.published(eventDate=in_days(9)), programme.published(eventDate=in_days(3))

    reply = programme.ask("list_events")

    assert reply.body == {"items": [sooner, later], "nextCursor": None}
    assert reply.headers["Cache-Control"] == "public, max-age=5"


def test_the_list_is_narrowed_by_category_and_dates(programme: Programme) -> None:
    concert = programme.published(eventDate="2999-07-01T18:00:00.000Z")
    play = programme.published(eventDate="2999-07-02T18:00:00.000Z", category="Theatre")

    def ids(**query: str) -> list[str]:
        return [item["id"] for item in programme.ask("list_events", query=query).body["items"]]

    assert ids(category="theatre") == [play["id"]]
    assert ids(category="Knitting") == []
    assert ids(**{"from": "2999-07-02"}) == [play["id"]]
    assert ids(to="2999-07-01") == [concert["id"]]
    assert ids(**{"from": "2999-07-01T18:00:00Z", "to": "2999-07-01T18:00:00Z"}) == [concert["id"]]
    assert programme.ask("list_events", query={"from": "x", "to": "y", "limit": 0}).fields == {
        "from",
        "to",
        "limit",
    }
    assert programme.ask("list_events", query={"from": "2999-07-02", "to": "2999-07-01"}).fields == {"to"}


def pages(programme: Programme, route: str, user: User | None = None) -> list[str]:
    """Every item's id, two a page."""
    ids: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        body = programme.ask(route, query=query, user=user).body
        assert len(body["items"]) <= 2
        ids += [item["id"] for item in body["items"]]
        cursor = body["nextCursor"]
        if cursor is None:
            return ids


@pytest.mark.parametrize("count", [0, 2, 5])
def test_pages_leave_nothing_out_and_show_nothing_twice(programme: Programme, count: int) -> None:
    date = in_days(30)  # one date, so that the id has to break the tie
    expected = {programme.published(eventDate=date)["id"] for _ in range(count)}

    for route, user in (("list_events", None), ("my_events", programme.organizer)):
        shown = pages(programme, route, user=user)
        assert (len(shown), set(shown)) == (count, expected)


@pytest.mark.parametrize(
    "cursor", ["!!", "e30", "WyJ4IiwieSJd", "WyIyOTk5LTAxLTAxIiwiXHUwMDAwIl0", "a" * 600]
)
def test_a_cursor_that_is_none_of_ours_is_bad_input(programme: Programme, cursor: str) -> None:
    assert programme.ask("list_events", query={"cursor": cursor}).fields == {"cursor"}
    assert programme.ask("list_categories", query={"cursor": "WyJcdWQ4MDAiXQ"}).fields == {"cursor"}


def test_an_organizer_sees_all_ones_own_the_newest_first(programme: Programme) -> None:
    other = programme.ask("create_event", details(), user=a_user(Role.ORGANIZER)).body
    draft, published, cancelled = programme.draft(), programme.published(), programme.cancelled()

    def mine(**query: str) -> list[str]:
        body = programme.ask("my_events", user=programme.organizer, query=query).body
        return [item["id"] for item in body["items"]]

    assert mine() == [cancelled["id"], published["id"], draft["id"]]
    assert mine(status="DRAFT") == [draft["id"]]
    assert other["id"] not in mine()
    assert programme.ask("my_events", user=programme.organizer, query={"status": "x"}).fields == {"status"}


def test_a_change_shows_at_once_although_the_event_is_cached(programme: Programme) -> None:
    event_id = programme.published()["id"]
    programme.ask("get_event", id=event_id)
    assert event_cache.recall(UUID(event_id), now()) is not None

    programme.ask("update_event", details(name="New name"), id=event_id, user=programme.organizer)
    assert programme.ask("get_event", id=event_id).body["name"] == "New name"

    programme.ask("cancel_event", {"reason": "Rain"}, id=event_id, user=programme.organizer)
    assert programme.ask("get_event", id=event_id).body["status"] == "CANCELLED"


def test_a_cached_event_needs_no_postgresql_and_an_old_one_only_while_it_is_away(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = Event.model_validate(programme.published())
    unheard = programme.published()
    event_cache.keep(event, now() - timedelta(minutes=5))
    programme.db.run("UPDATE events SET name = 'changed behind the cache' WHERE id = %(id)s", id=event.id)
    assert programme.ask("get_event", id=str(event.id)).body["name"] == "changed behind the cache"

    event_cache.keep(event, now() - timedelta(minutes=5))
    monkeypatch.setenv("DATABASE_PORT", "9")
    database.reset()

    assert programme.ask("get_event", id=str(event.id)).body["name"] == event.name
    assert programme.ask("get_event", id=unheard["id"]).status == 503


def test_an_event_that_was_cached_in_the_future_is_read_anew(programme: Programme) -> None:
    event = Event.model_validate(programme.published())
    event_cache.keep(event, now() + timedelta(minutes=5))  # by a process whose clock is ahead
    programme.db.run("UPDATE events SET name = 'changed behind the cache' WHERE id = %(id)s", id=event.id)

    assert programme.ask("get_event", id=str(event.id)).body["name"] == "changed behind the cache"


@pytest.mark.parametrize("left_out", ["asOf", "event", "timeZone"])
def test_an_event_that_another_version_of_the_code_cached_is_read_anew(
    programme: Programme, left_out: str
) -> None:
    event = programme.published(name="Gala")
    key = f"event:{event['id']}"
    assert programme.ask("get_event", id=event["id"]).status == 200
    held = json.loads(str(cache.field(key, event_cache.FIELD)))
    assert left_out in held or left_out in held["event"]
    held.pop(left_out, None)
    held.get("event", {}).pop(left_out, None)
    cache.set_field(key, event_cache.FIELD, json.dumps(held), seconds=60)

    assert programme.ask("get_event", id=event["id"]).body["timeZone"] == "Europe/Vienna"

    assert event_cache.recall(UUID(event["id"]), now()) is not None, "and cached in today's form"


def test_without_redis_everything_is_read_from_postgresql(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_PORT", "9")
    cache.reset()
    event = programme.published(name="Winterreise")

    assert programme.ask("get_event", id=event["id"]).status == 200
    assert programme.found("winterreise") == ["Winterreise"]
    assert programme.ask("health").body["dependencies"] == {"database": "ok", "cache": "down"}


def test_categories_are_listed_by_name(programme: Programme) -> None:
    items = programme.ask("list_categories").body["items"]

    names = [item["name"] for item in items]
    assert names == sorted(names)
    assert {"Music", "Theatre", "Sport", "Comedy", "Conference", "Family"} <= set(names)
    assert set(items[0]) == {"id", "name", "description"}
    assert len(pages(programme, "list_categories")) == len(names)


def test_an_admin_adds_a_category_that_events_may_name(programme: Programme) -> None:
    admin, circus = a_user(Role.ADMIN), {"name": "Circus", "description": "Clowns"}

    added = programme.ask("create_category", circus, user=admin)

    assert (added.status, added.body["name"]) == (201, "Circus")
    assert programme.draft(category="circus")["category"] == "Circus"
    again = programme.ask("create_category", {"name": "CIRCUS"}, user=admin)
    assert (again.status, again.code) == (409, "CATEGORY_EXISTS")
    assert programme.ask("create_category", circus, user=programme.organizer).status == 403
