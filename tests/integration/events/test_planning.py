"""What an organizer does with an event, and what the others are told."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from functions.events import planning
from functions.events.models import EventRequest
from shared.clock import now
from shared.database import Database
from shared.identity import Role
from tests.programme import Programme, details, in_days
from tests.support import a_user


def test_a_new_event_is_a_draft_of_its_organizer(programme: Programme) -> None:
    asked = details(description=None)
    reply = programme.ask("create_event", asked, user=programme.organizer)

    assert reply.status == 201
    event = reply.body
    assert {key: event[key] for key in asked} == asked
    assert event["organizerId"] == str(programme.organizer.id)
    assert (event["status"], event["version"]) == ("DRAFT", 1)
    assert event["imageUrl"] == "https://pictures.example/placeholder.jpg"
    assert event["createdAt"] == event["updatedAt"]
    assert programme.aws.messages("events") == [], "nobody is told of a draft"


def test_a_category_is_named_in_any_case_but_must_exist(programme: Programme) -> None:
    assert programme.draft(category="mUSIC")["category"] == "Music"
    assert programme.draft(category=None)["category"] is None
    reply = programme.ask("create_event", details(category="Knitting"), user=programme.organizer)
    assert (reply.status, reply.fields) == (400, {"category"})


def test_the_same_key_makes_one_event(programme: Programme) -> None:
    body, headers = details(), {"Idempotency-Key": "k1"}

    first = programme.ask("create_event", body, user=programme.organizer, headers=headers)
    second = programme.ask("create_event", body, user=programme.organizer, headers=headers)

    assert first.body == second.body
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    "route",
    [
        "create_event",
        "my_events",
        "my_event",
        "update_event",
        "delete_event",
        "publish_event",
        "cancel_event",
        "create_category",
    ],
)
def test_an_attendee_may_do_nothing_of_this(programme: Programme, route: str) -> None:
    event_id = programme.draft()["id"]

    assert programme.ask(route, user=a_user(), id=event_id).status == 403
    assert programme.ask(route, id=event_id).status == 401


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("my_event", None),
        ("update_event", details()),
        ("delete_event", None),
        ("publish_event", None),
        ("cancel_event", {"reason": "spite"}),
    ],
)
def test_somebody_elses_event_is_not_found(programme: Programme, route: str, body: object) -> None:
    event_id = programme.draft()["id"]

    assert programme.ask(route, body, id=event_id, user=a_user(Role.ORGANIZER)).status == 404
    assert programme.ask(route, body, id=str(uuid4()), user=programme.organizer).status == 404
    assert programme.ask("my_event", id=event_id, user=programme.organizer).body["version"] == 1


def test_an_admin_may_do_what_the_organizer_may(programme: Programme) -> None:
    event_id, admin = programme.draft()["id"], a_user(Role.ADMIN)

    assert programme.ask("my_event", id=event_id, user=admin).status == 200
    assert programme.ask("update_event", details(), id=event_id, user=admin).status == 200
    assert programme.ask("publish_event", id=event_id, user=admin).status == 200


def test_what_was_read_can_be_written_back_unchanged(programme: Programme) -> None:
    """pretix 4442: saving an event moved its time by the zone's offset."""
    event = programme.draft(eventDate="2999-07-01T18:30:00.000Z", timeZone="America/New_York")
    same = {key: event[key] for key in details()}

    saved = programme.ask("update_event", same, id=event["id"], user=programme.organizer).body

    assert {key: saved[key] for key in same} == same
    assert saved["version"] == 2


def test_a_lost_update_is_refused(programme: Programme) -> None:
    event_id = programme.draft()["id"]

    def update(if_match: str) -> int:
        headers = {"If-Match": if_match}
        reply = programme.ask(
            "update_event", details(), id=event_id, user=programme.organizer, headers=headers
        )
        assert reply.status != 409 or reply.code == "LOST_UPDATE"
        return reply.status

    assert [update('"1"'), update('"1"'), update("2"), update("*"), update("x")] == [200, 409, 200, 200, 400]


def test_of_two_updates_of_the_same_version_at_once_one_wins(programme: Programme) -> None:
    event_id = UUID(programme.draft()["id"])
    request = EventRequest.model_validate(details())

    def update(database: Database) -> bool:
        try:
            with database.transaction() as sql:
                planning.change(sql, programme.organizer, event_id, request, 1, now())
        except planning.LostUpdate:
            return False
        return True

    databases = [Database("events") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(update, databases)) == [False, False, False, True]
    for database in databases:
        database.reset()


def test_publishing_tells_who_sells_tickets(programme: Programme) -> None:
    event = programme.published(name="Winterreise")

    assert (event["status"], event["version"]) == ("PUBLISHED", 2)
    (message,) = programme.aws.messages("events")
    assert message["type"] == "events.event_published.v1"
    assert (message["subject"], message["sequence"]) == (event["id"], 2)
    assert message["data"] == {
        "eventId": event["id"],
        "organizerId": str(programme.organizer.id),
        "name": "Winterreise",
        "eventDate": event["eventDate"],
        "timeZone": "Europe/Vienna",
        "venueName": "Opera",
        "venueAddress": "Opernring 2, Wien",
        "status": "PUBLISHED",
        "version": 2,
    }
    assert programme.tickets.tokens == ["Bearer a-token"], "it asked for the organizer"


def test_publishing_twice_is_publishing_once(programme: Programme) -> None:
    event = programme.published()

    again = programme.ask("publish_event", id=event["id"], user=programme.organizer)

    assert (again.status, again.body) == (200, event)
    assert len(programme.aws.messages("events")) == 1


def test_an_event_without_ticket_types_is_not_published(programme: Programme) -> None:
    event = programme.draft()
    programme.tickets.without_types.add(event["id"])

    reply = programme.ask("publish_event", id=event["id"], user=programme.organizer)

    assert (reply.status, reply.code) == (409, "EVENT_HAS_NO_TICKETS")


@pytest.mark.parametrize(("status", "answer"), [(404, 409), (500, 503), (401, 503)])
def test_what_tickets_says_decides(programme: Programme, status: int, answer: int) -> None:
    event = programme.draft()
    programme.tickets.status = status

    assert programme.ask("publish_event", id=event["id"], user=programme.organizer).status == answer
    assert programme.ask("my_event", id=event["id"], user=programme.organizer).body["status"] == "DRAFT"


def test_an_event_whose_date_has_passed_is_not_published(programme: Programme) -> None:
    event = programme.draft()
    programme.begun(event)

    reply = programme.ask("publish_event", id=event["id"], user=programme.organizer)

    assert (reply.status, reply.code) == (409, "EVENT_NOT_UPCOMING")


def test_a_change_of_a_published_event_is_told(programme: Programme) -> None:
    event = programme.published()

    date = in_days(40)
    programme.ask("update_event", details(eventDate=date), id=event["id"], user=programme.organizer)

    message = programme.aws.messages("events")[-1]
    assert (message["type"], message["sequence"]) == ("events.event_updated.v1", 3)
    assert (message["data"]["eventDate"], message["data"]["status"]) == (date, "PUBLISHED")


def test_cancelling_tells_the_reason_and_is_done_once(programme: Programme) -> None:
    event = programme.cancelled()

    again = programme.ask("cancel_event", {"reason": "Snow"}, id=event["id"], user=programme.organizer)

    assert (again.status, again.body["status"]) == (202, "CANCELLED")
    published, cancelled = programme.aws.messages("events")
    assert cancelled["type"] == "events.event_cancelled.v1"
    assert (cancelled["data"]["reason"], cancelled["data"]["status"]) == ("Rain", "CANCELLED")
    assert cancelled["sequence"] > published["sequence"]


@pytest.mark.parametrize("reason", [None, "", "  ", "x" * 1001])
def test_cancelling_needs_a_reason(programme: Programme, reason: object) -> None:
    event_id = programme.published()["id"]

    reply = programme.ask("cancel_event", {"reason": reason}, id=event_id, user=programme.organizer)

    assert (reply.status, reply.fields) == (400, {"reason"})


def test_a_draft_is_deleted_not_cancelled(programme: Programme) -> None:
    event_id, user = programme.draft()["id"], programme.organizer

    assert (
        programme.ask("cancel_event", {"reason": "x"}, id=event_id, user=user).code == "EVENT_NOT_PUBLISHED"
    )
    assert programme.ask("delete_event", id=event_id, user=user).status == 204
    assert programme.ask("delete_event", id=event_id, user=user).status == 404


def test_a_published_event_is_cancelled_not_deleted(programme: Programme) -> None:
    event_id = programme.published()["id"]

    reply = programme.ask("delete_event", id=event_id, user=programme.organizer)

    assert (reply.status, reply.code) == (409, "EVENT_PUBLISHED")


@pytest.mark.parametrize(
    ("route", "body"), [("update_event", details()), ("delete_event", None), ("publish_event", None)]
)
def test_nothing_about_a_cancelled_event_changes(programme: Programme, route: str, body: object) -> None:
    event_id = programme.cancelled()["id"]

    reply = programme.ask(route, body, id=event_id, user=programme.organizer)

    assert (reply.status, reply.code) == (409, "EVENT_OVER")


@pytest.mark.parametrize("field", ["description", "venueAddress"])
def test_texts_have_no_control_characters(programme: Programme, field: str) -> None:
    reply = programme.ask("create_event", details(**{field: "a\x01b"}), user=programme.organizer)
    assert (reply.status, reply.fields) == (400, {field})


def test_a_page_of_the_largest_events_is_no_more_than_lambda_gives_out(programme: Programme) -> None:
    texts = {
        "name": '"' * 255,
        "description": '"' * 10_000,
        "venueName": '"' * 255,
        "venueAddress": "\\" * 1000,
    }
    programme.published(**texts)
    page = programme.ask("list_events", query={"limit": 100})
    [event] = page.body["items"]
    answer = json.dumps({"body": json.dumps({"items": [event] * 100})})
    assert len(answer) < 6_291_556
