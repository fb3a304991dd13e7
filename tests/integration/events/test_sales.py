"""GET /api/events/{id}/sales: an event's figures, from what tickets and payments say."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.events.jobs import rebuild_sales
from shared.identity import Role, User
from tests.programme import Programme
from tests.sales_told import START, Told
from tests.support import Reply, a_user, context

STALLS, GALLERY = UUID(int=1), UUID(int=2)
ZEROS = {
    "sold": 0,
    "voided": 0,
    "held": 0,
    "available": 0,
    "revenue": "0.00",
    "refunds": "0.00",
    "refundsWithoutTickets": "0.00",
}


def see(programme: Programme, event_id: str, user: User | None = None) -> Reply:
    return programme.ask("event_sales", id=event_id, user=user or programme.organizer)


def figures(programme: Programme, event_id: str) -> dict[str, Any]:
    reply = see(programme, event_id)
    assert reply.status == 200, reply
    body: dict[str, Any] = reply.body
    return body


@pytest.fixture
def event(programme: Programme) -> dict[str, Any]:
    return programme.published(timeZone="Europe/Vienna")


@pytest.fixture
def told(programme: Programme, event: dict[str, Any]) -> Told:
    """Two types of a hundred seats each."""
    said = Told(programme.aws, event["id"])
    said.stock(1, (STALLS, "Stalls", "49.50", 100, 0, 0), (GALLERY, "Gallery", "20.00", 100, 0, 0))
    return said


def test_a_draft_has_sold_nothing(programme: Programme) -> None:
    event = programme.draft()
    assert figures(programme, event["id"]) == {
        "eventId": event["id"],
        "asOf": event["createdAt"],
        "stockAsOf": None,
        "timeZone": event["timeZone"],
        "currency": None,
        "ticketTypes": [],
        "totals": ZEROS,
        "days": [],
        "checkedIn": 0,
    }


def test_the_figures_are_the_organizers_and_an_admins(programme: Programme, event: dict[str, Any]) -> None:
    assert see(programme, event["id"]).status == 200
    assert see(programme, event["id"], a_user(Role.ADMIN)).status == 200
    assert see(programme, event["id"], a_user(Role.ORGANIZER)).status == 404
    assert see(programme, event["id"], a_user()).status == 403
    assert see(programme, str(uuid4())).status == 404
    assert see(programme, "x").fields == {"id"}


def test_a_sale_shows_by_type_and_by_the_venues_day(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    early, late = uuid4(), uuid4()
    lines = {STALLS: (2, "49.50"), GALLERY: (1, "20.00")}
    told.order(early, 3, "PAID", lines, placed_at=START)
    told.issued(early, 2, (uuid4(), STALLS), (uuid4(), STALLS), (ticket := uuid4(), GALLERY))
    told.order(late, 3, "PAID", {STALLS: (1, "49.50")}, placed_at=START + timedelta(hours=1))
    told.issued(late, 2, (uuid4(), STALLS))
    told.used(early, ticket)
    told.stock(2, (STALLS, "Stalls", "49.50", 100, 3, 5), (GALLERY, "Gallery", "20.00", 100, 1, 0))
    told.deliver()

    shown = figures(programme, event["id"])

    assert shown["ticketTypes"] == [
        {
            "ticketTypeId": str(STALLS),
            "name": "Stalls",
            "price": "49.50",
            "currency": "EUR",
            "capacity": 100,
            "sold": 3,
            "voided": 0,
            "held": 5,
            "available": 92,
            "revenue": "148.50",
            "refunds": "0.00",
            "deleted": False,
        },
        {
            "ticketTypeId": str(GALLERY),
            "name": "Gallery",
            "price": "20.00",
            "currency": "EUR",
            "capacity": 100,
            "sold": 1,
            "voided": 0,
            "held": 0,
            "available": 99,
            "revenue": "20.00",
            "refunds": "0.00",
            "deleted": False,
        },
    ]
    assert shown["totals"] == ZEROS | {"sold": 4, "held": 5, "available": 191, "revenue": "168.50"}
    assert shown["days"] == [
        {"date": "2026-11-20", "tickets": 3, "revenue": "119.00", "refunds": "0.00"},
        {"date": "2026-11-21", "tickets": 1, "revenue": "49.50", "refunds": "0.00"},
    ]
    assert (shown["checkedIn"], shown["currency"], shown["timeZone"]) == (1, "EUR", "Europe/Vienna")
    assert (shown["asOf"], shown["stockAsOf"]) == ("2026-11-20T22:30:06.000Z", "2026-11-20T22:30:06.000Z")


def test_refunds_are_counted_apart_on_their_own_day_and_by_type_where_that_is_known(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    order, first, second = uuid4(), uuid4(), uuid4()
    lines = {STALLS: (1, "49.50"), GALLERY: (1, "20.00")}
    told.issued(order, 2, (first, STALLS), (second, GALLERY))
    refunds: tuple[tuple[str, dict[UUID, str]], ...] = (("20.00", {GALLERY: "20.00"}), ("10.00", {}))
    tomorrow = START + timedelta(days=1)
    told.order(order, 5, "PARTIALLY_REFUNDED", lines, refunds=refunds, refunded_at=tomorrow)
    told.voided(order, 3, second)
    told.deliver()

    shown = figures(programme, event["id"])

    by_name = {type_["name"]: type_ for type_ in shown["ticketTypes"]}
    assert (by_name["Gallery"]["revenue"], by_name["Gallery"]["refunds"]) == ("20.00", "20.00")
    assert (by_name["Gallery"]["sold"], by_name["Gallery"]["voided"]) == (0, 1)
    assert (by_name["Stalls"]["revenue"], by_name["Stalls"]["refunds"]) == ("49.50", "0.00")
    assert shown["totals"] == ZEROS | {
        "sold": 1,
        "voided": 1,
        "available": 200,
        "revenue": "69.50",
        "refunds": "30.00",
        "refundsWithoutTickets": "10.00",
    }
    assert shown["days"] == [
        {"date": "2026-11-20", "tickets": 2, "revenue": "69.50", "refunds": "0.00"},
        {"date": "2026-11-21", "tickets": 0, "revenue": "0.00", "refunds": "30.00"},
    ]


def test_free_tickets_count_and_bring_nothing(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    order = uuid4()
    told.order(order, 3, "PAID", {STALLS: (1, "0.00")}, captured=False)
    told.issued(order, 2, (uuid4(), STALLS))
    told.deliver()

    shown = figures(programme, event["id"])

    assert (shown["totals"]["sold"], shown["totals"]["revenue"]) == (1, "0.00")
    assert shown["days"] == [{"date": "2026-11-20", "tickets": 1, "revenue": "0.00", "refunds": "0.00"}]


def test_what_is_not_paid_is_no_sale(programme: Programme, event: dict[str, Any], told: Told) -> None:
    told.order(uuid4(), 1, "PENDING", {STALLS: (1, "49.50")}, captured=False)
    told.deliver()

    assert figures(programme, event["id"])["totals"] == ZEROS | {"available": 200}


def test_released_tickets_are_void_and_those_issued_anew_are_not(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    order = uuid4()
    told.issued(order, 4, (uuid4(), STALLS))
    told.released(order, 3)
    told.issued(order, 2, (uuid4(), STALLS))
    told.deliver()

    assert figures(programme, event["id"])["totals"] == ZEROS | {"sold": 1, "voided": 1, "available": 200}


def test_a_release_counts_though_news_of_an_older_one_come_later(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    order = uuid4()
    told.issued(order, 4, (uuid4(), STALLS))
    told.deliver()
    for version in (5, 3):
        told.released(order, version)
        told.deliver()

    assert figures(programme, event["id"])["totals"] == ZEROS | {"voided": 1, "available": 200}


@pytest.mark.parametrize("is_void_again", [False, True])
def test_of_a_ticket_the_newest_version_of_its_purchase_holds_in_whatever_order_the_news_come(
    programme: Programme, event: dict[str, Any], told: Told, is_void_again: bool
) -> None:
    told.deliver()
    arrivals = list(permutations(range(3 + is_void_again)))
    for arrival in arrivals:
        order, ticket = uuid4(), uuid4()
        told.issued(order, 2, (ticket, STALLS))
        told.voided(order, 3, ticket)  # the bank took the money
        told.issued(order, 4, (ticket, STALLS))  # and gave it back
        if is_void_again:
            told.voided(order, 5, ticket)
        news, told.envelopes = told.envelopes, []
        told.deliver([news[index] for index in arrival])

    totals = figures(programme, event["id"])["totals"]
    expected = {"sold": 0, "voided": len(arrivals)} if is_void_again else {"sold": len(arrivals), "voided": 0}
    assert totals == ZEROS | expected | {"available": 200}


def test_a_deleted_type_is_listed_only_for_what_it_sold(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    order, ticket = uuid4(), uuid4()
    told.order(order, 4, "REFUNDED", {GALLERY: (1, "20.00")}, refunds=(("20.00", {GALLERY: "20.00"}),))
    told.issued(order, 2, (ticket, GALLERY))
    told.voided(order, 3, ticket)
    told.stock(3)
    told.stock(2, (GALLERY, "Balcony", "20.00", 100, 0, 7))
    told.deliver()

    shown = figures(programme, event["id"])

    [gallery] = shown["ticketTypes"]
    assert (gallery["name"], gallery["deleted"], gallery["voided"]) == ("Balcony", True, 1)
    assert (gallery["held"], gallery["available"], gallery["refunds"]) == (0, 0, "20.00")
    assert shown["totals"]["available"] == 0


def test_sums_may_have_more_digits_than_amounts(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    for _ in range(11):
        told.order(uuid4(), 2, "PAID", {STALLS: (100, "999999.99")})
    told.deliver()

    assert figures(programme, event["id"])["totals"]["revenue"] == "1099999989.00"


def test_one_event_is_rebuilt_without_the_others(
    programme: Programme, event: dict[str, Any], told: Told
) -> None:
    told.deliver()
    other = programme.draft()
    elsewhere = Told(programme.aws, other["id"])
    elsewhere.stock(1, (uuid4(), "Stalls", "5.00", 10, 0, 0))
    elsewhere.deliver()
    programme.db.run("UPDATE sales_types SET capacity = 1")

    assert rebuild_sales.handler({"eventId": event["id"]}, context()) == {"handled": 1}
    assert figures(programme, event["id"])["totals"]["available"] == 200
    assert figures(programme, other["id"])["totals"]["available"] == 1

    assert rebuild_sales.handler({}, context()) == {"handled": 2}
    assert figures(programme, other["id"])["totals"]["available"] == 10


def test_nobody_is_named_in_the_log(programme: Programme, event: dict[str, Any], told: Told) -> None:
    told.order(uuid4(), 1, "PENDING", {STALLS: (1, "49.50")})
    told.issued(uuid4(), 2, (uuid4(), STALLS))
    told.deliver()

    rows = programme.db.all("SELECT data FROM sales_messages")

    assert len(rows) == 3
    assert not [row for row in rows if {"userId", "orderNumber"} & set(row["data"])]
