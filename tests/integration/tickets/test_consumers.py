"""What other services tell tickets, in whatever order and however often."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from functions.tickets.consumers import events, payments
from functions.tickets.routes import check_in
from shared.clock import iso, now
from tests.cloud import Cloud
from tests.databases import Row
from tests.support import a_user, call, context
from tests.ticket_sales import Sales


def hear(
    aws: Cloud,
    consumer: Any,
    queue: str,
    type_: str,
    data: dict[str, Any],
    id: UUID | None = None,
    version: int = 1,
    at: datetime | None = None,
) -> None:
    envelope = {
        "id": str(id or uuid4()),
        "type": type_,
        "subject": str(uuid4()),
        "sequence": version,
        "time": iso(at or now()),
        "data": data,
    }
    answer = consumer.handler({"Records": [aws.record(queue, envelope)]}, context())
    assert answer == {"batchItemFailures": []}


def hear_of_event(aws: Cloud, event_id: UUID, type_: str = "published", **changes: Any) -> None:
    data = {
        "eventId": str(event_id),
        "organizerId": str(uuid4()),
        "name": "An evening of songs",
        "eventDate": iso(now() + timedelta(days=1)),
        "timeZone": "Europe/Vienna",
        "venueName": "Musikverein",
        "venueAddress": "Wien",
        "status": "PUBLISHED",
        "version": 2,
        **changes,
    }
    hear(aws, events, "tickets-events", f"events.event_{type_}.v1", data)


def copy_of(sales: Sales, event_id: UUID) -> Row:
    row = sales.db.one("SELECT * FROM event_copies WHERE event_id = %(id)s", id=event_id)
    assert row is not None
    return row


def refund(aws: Cloud, order_id: str, ticket_ids: list[UUID], *, fully: bool, id: UUID | None = None) -> None:
    data = {
        "orderId": order_id,
        "orderNumber": "BO-1",
        "userId": str(uuid4()),
        "eventId": str(uuid4()),
        "refundId": str(uuid4()),
        "amount": "1.00",
        "currency": "EUR",
        "fully": fully,
        "ticketIds": [str(ticket_id) for ticket_id in ticket_ids],
    }
    hear(aws, payments, "tickets-payments", "payments.order_refunded.v1", data, id)


def test_a_published_event_goes_on_sale_here(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event(status="DRAFT")
    hear_of_event(aws, event_id, version=3, name="An evening of arias")
    assert copy_of(sales, event_id)["name"] == "An evening of arias"
    assert sales.reserve(a_user(), event_id, {sales.type(event_id): 1}).status == 201
    assert sales.events.asked == []


def test_an_event_never_heard_of_is_kept(sales: Sales, aws: Cloud) -> None:
    event_id = uuid4()
    hear_of_event(aws, event_id)
    assert copy_of(sales, event_id)["status"] == "PUBLISHED"


def test_old_news_changes_nothing_and_the_currency_stays_ours(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    hear_of_event(aws, event_id, "cancelled", version=4, status="CANCELLED", reason="rain")
    hear_of_event(aws, event_id, "updated", version=3, name="Late")
    copy = copy_of(sales, event_id)
    assert (copy["status"], copy["name"], copy["currency"]) == ("CANCELLED", "An evening of songs", "EUR")
    assert sales.reserve(a_user(), event_id, {sales.type(event_id): 1}).code == "SALE_CLOSED"


def test_a_completed_event_sells_nothing_more_and_still_lets_late_guests_in(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    organizer = str(sales.organizer.id)
    hear_of_event(aws, event_id, "updated", version=9, status="COMPLETED", organizerId=organizer)

    assert sales.reserve(a_user(), event_id, {sales.type(event_id): 1}).code == "SALE_CLOSED"
    code = {"qrCode": row["qr_code"]}
    path = "/api/tickets/check-in"
    assert call(check_in.handler, "POST", path, user=sales.organizer, body=code).status == 200


def test_a_refunded_ticket_is_void_and_its_seat_on_sale_again(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    first, second = sales.issued(buyer, event_id, {id: 2})
    order_id, message = str(first["order_id"]), uuid4()

    refund(aws, order_id, [first["id"]], fully=False, id=message)
    refund(aws, order_id, [first["id"]], fully=False, id=message)
    refund(aws, order_id, [first["id"]], fully=False)

    assert {row["id"]: row["status"] for row in sales.tickets(order_id)} == {
        first["id"]: "VOID",
        second["id"]: "ACTIVE",
    }
    assert (sales.stock(id), sales.taken(id, buyer)) == ((1, 0), 1)
    assert sales.ticket_history(first["id"]) == [(1, "issued"), (2, "voided")]
    assert sales.history(order_id) == [(1, "bound"), (2, "issued"), (3, "tickets_voided")]


def test_a_full_refund_voids_what_is_left(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    id, other = sales.type(event_id), sales.type(event_id)
    order_id = str(sales.issued(buyer, event_id, {id: 2, other: 1})[0]["order_id"])
    refund(aws, order_id, [], fully=True)
    assert {row["status"] for row in sales.tickets(order_id)} == {"VOID"}
    assert (sales.stock(id), sales.stock(other), sales.taken(id, buyer)) == ((0, 0), (0, 0), 0)


def test_a_partial_refund_without_tickets_voids_none(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    order_id = str(sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]["order_id"])
    refund(aws, order_id, [], fully=False)
    assert [row["status"] for row in sales.tickets(order_id)] == ["ACTIVE"]
    assert sales.history(order_id)[-1] == (2, "issued")


def test_a_refund_names_tickets_of_its_own_order_only(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    mine = str(sales.issued(a_user(), event_id, {id: 1})[0]["order_id"])
    other = sales.issued(a_user(), event_id, {id: 1})[0]
    refund(aws, mine, [other["id"]], fully=False)
    assert sales.tickets(str(other["order_id"]))[0]["status"] == "ACTIVE"


def test_a_refund_of_an_order_without_tickets_leaves_the_seats_to_the_saga(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 1})
    refund(aws, order_id, [], fully=True)
    assert (sales.stock(id), sales.purchase_row(order_id)["status"]) == ((0, 1), "BOUND")
    refund(aws, str(uuid4()), [], fully=True)
