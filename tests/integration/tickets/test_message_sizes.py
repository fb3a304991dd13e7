"""The largest order and the longest list of ticket types that may be: what is told of them still leaves."""

import json
from typing import Any

from functions.tickets.models import (
    MAX_TICKETS_PER_RESERVATION,
    MAX_TYPES_PER_EVENT,
    MAX_TYPES_PER_RESERVATION,
)
from shared.contracts import StockChanged
from tests.cloud import Cloud
from tests.integration.tickets.test_ticket_types import create, delete
from tests.support import a_user
from tests.ticket_sales import Sales

SNS_TAKES = 262_144  # bytes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
ATTRIBUTES = 100  # bytes beside the body
EMOJI = "\U0001f3ad"  # four bytes, as large as a character gets
NONE = "\uffff"  # no character, and sent as the six of its escape


def bytes_of(envelope: dict[str, Any]) -> int:
    text = json.dumps(envelope, ensure_ascii=False).replace(NONE, r"\uffff")
    return len(text.encode()) + ATTRIBUTES


def unpublished(sales: Sales) -> list[str]:
    return [row["type"] for row in sales.db.all("SELECT type FROM outbox WHERE published_at IS NULL")]


def test_an_event_has_no_more_ticket_types_than_a_message_can_tell_of(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event_of_events()
    longest = {"name": "T" + NONE * 254, "price": "999999.99", "quantityAvailable": 10_000_000}
    first = create(sales.organizer, event_id, **longest)
    for _ in range(MAX_TYPES_PER_EVENT - 2):
        sales.db.run(
            """
            INSERT INTO ticket_types (event_id, name, price, currency, quantity_available, created_at, updated_at)
            SELECT event_id, name, price, currency, quantity_available, now(), now() FROM ticket_types LIMIT 1
            """
        )

    assert create(sales.organizer, event_id, **longest).status == 201
    one_more = create(sales.organizer, event_id, **longest)

    assert (one_more.status, one_more.code, one_more.fields) == (409, "TOO_MANY_TICKET_TYPES", {"eventId"})
    (largest,) = [
        message
        for message in aws.messages("tickets")
        if message["type"] == StockChanged.TYPE and len(message["data"]["types"]) == MAX_TYPES_PER_EVENT
    ]
    assert bytes_of(largest) < SNS_TAKES
    assert unpublished(sales) == []
    assert delete(sales.organizer, first.body["id"]).status == 204
    assert create(sales.organizer, event_id, **longest).status == 201, "one that is gone makes room"


def largest_order(sales: Sales, name: str, zone: str, holder: str) -> str:
    """The id of an order of as many tickets and types as may be, all with these names."""
    event_id = sales.event()
    types = [sales.type(event_id, limit=100) for _ in range(MAX_TYPES_PER_RESERVATION)]
    each = MAX_TICKETS_PER_RESERVATION // len(types)
    sales.db.run(
        "UPDATE ticket_types SET name = %(name)s, venue_zone = %(zone)s, price = 9999.99",
        name=name,
        zone=zone,
    )
    sales.db.run(
        "UPDATE event_copies SET name = %(name)s, venue_name = %(name)s, venue_address = %(address)s",
        name=name,
        address=NONE * 1000,
    )
    order_id = sales.order(
        a_user(), event_id, dict.fromkeys(types, each), holderNames=[holder] * each * len(types)
    )
    assert sales.issue(order_id)["outcome"] == "issued"
    return order_id


def test_the_mail_of_the_largest_order_leaves_with_every_name_of_letters_as_it_is(
    sales: Sales, aws: Cloud
) -> None:
    name, zone = "劇" * 255, "席" * 100

    sales.notify(largest_order(sales, name, zone, EMOJI * 255), "issued")

    (mail,) = aws.messages("mail")
    assert bytes_of(mail) < SNS_TAKES
    assert unpublished(sales) == []
    tickets = mail["data"]["data"]["tickets"]
    assert len(tickets) == MAX_TICKETS_PER_RESERVATION
    names = {(ticket["ticketType"], ticket["zone"], ticket["holderName"]) for ticket in tickets}
    assert names == {(name, zone, EMOJI * 255)}


def test_names_that_a_message_has_no_room_for_are_cut(sales: Sales, aws: Cloud) -> None:
    sales.notify(largest_order(sales, EMOJI * 255, EMOJI * 100, "A" + NONE * 254), "issued")

    (mail,) = aws.messages("mail")
    assert bytes_of(mail) < SNS_TAKES
    assert unpublished(sales) == []
    ticket = mail["data"]["data"]["tickets"][0]
    assert ticket["ticketType"] == EMOJI * 191 + "…"
    assert ticket["zone"] == EMOJI * 76 + "…"
    assert ticket["holderName"] == "A" + NONE * 170 + "…"
