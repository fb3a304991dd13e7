"""What buyers see of their orders and tickets, and nobody else."""

import io
from typing import Any
from uuid import UUID, uuid4

import png
import pytest

from functions.tickets.routes import get_ticket, list_orders, ticket_qr
from shared import qr
from shared.identity import Role, User
from tests.support import Reply, a_user, call
from tests.ticket_sales import Sales


def orders(caller: User, user_id: UUID | None = None, **query: Any) -> Reply:
    path = f"/api/tickets/orders/{user_id or caller.id}"
    return call(list_orders.handler, "GET", path, user=caller, query=query)


def ticket(caller: User, ticket_id: UUID) -> Reply:
    return call(get_ticket.handler, "GET", f"/api/tickets/{ticket_id}", user=caller)


def picture(caller: User, ticket_id: UUID) -> Reply:
    return call(ticket_qr.handler, "GET", f"/api/tickets/{ticket_id}/qr.png", user=caller)


def test_an_order_is_pending_until_it_is_issued_and_then_has_its_tickets(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    order_id = sales.order(buyer, event_id, {id: 2}, holderNames=["Ada", "Grace"])

    pending = orders(buyer).body["items"][0]
    sales.issue(order_id)
    issued = orders(buyer).body["items"][0]

    assert (pending["status"], pending["tickets"]) == ("PENDING", [])
    assert (issued["status"], issued["orderId"], issued["totalAmount"]) == ("ISSUED", order_id, "99.00")
    assert (issued["eventName"], issued["currency"]) == ("An evening of songs", "EUR")
    assert [shown["holderName"] for shown in issued["tickets"]] == ["Ada", "Grace"]
    assert issued["items"][0]["quantity"] == 2
    assert issued["tickets"][0] == ticket(buyer, issued["tickets"][0]["id"]).body


def test_a_released_order_is_cancelled(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    sales.release(sales.order(buyer, event_id, {sales.type(event_id): 1}))
    assert orders(buyer).body["items"][0]["status"] == "CANCELLED"


def test_orders_come_newest_first_a_page_at_a_time(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    made = [sales.order(buyer, event_id, {id: 1}) for _ in range(3)]

    first = orders(buyer, limit=2).body
    second = orders(buyer, limit=2, cursor=first["nextCursor"]).body

    assert [order["orderId"] for order in first["items"] + second["items"]] == made[::-1]
    assert second["nextCursor"] is None


def test_one_order_can_be_picked(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    made = [sales.order(buyer, event_id, {id: 1}) for _ in range(2)]
    assert [order["orderId"] for order in orders(buyer, orderId=made[0]).body["items"]] == [made[0]]
    assert orders(buyer, orderId=uuid4()).body["items"] == []
    assert orders(buyer, orderId="x").fields == {"orderId"}


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"cursor": "x"}, "cursor")]
)
def test_a_wrong_page_is_named(sales: Sales, query: dict[str, Any], field: str) -> None:
    assert orders(a_user(), **query).fields == {field}


def test_someone_elses_orders_are_not_found_but_an_admin_sees_them(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    sales.order(buyer, event_id, {sales.type(event_id): 1})
    assert orders(a_user(), buyer.id).status == 404
    assert orders(sales.organizer, buyer.id).status == 404
    assert len(orders(a_user(Role.ADMIN), buyer.id).body["items"]) == 1
    assert orders(a_user()).body == {"items": [], "nextCursor": None}


def test_a_ticket_is_for_its_holder_and_its_events_organizer(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    row = sales.issued(buyer, event_id, {id: 1}, holderNames=["Ada"])[0]

    seen = ticket(buyer, row["id"])

    assert seen.status == 200
    assert seen.body == {
        "id": str(row["id"]),
        "ticketNumber": row["ticket_number"],
        "orderId": str(row["order_id"]),
        "eventId": str(event_id),
        "ticketTypeId": str(id),
        "ticketType": "Stalls",
        "venueZone": "A",
        "holderName": "Ada",
        "status": "ACTIVE",
        "checkedInAt": None,
        "deliveryStatus": "PENDING",
        "qrCode": row["qr_code"],
        "qrCodeImageUrl": f"/api/tickets/{row['id']}/qr.png",
        "createdAt": seen.body["createdAt"],
    }
    assert ticket(sales.organizer, row["id"]).body == seen.body
    assert ticket(a_user(Role.ADMIN), row["id"]).status == 200
    assert ticket(a_user(), row["id"]).status == 404
    assert ticket(a_user(Role.ORGANIZER), row["id"]).status == 404
    assert ticket(buyer, uuid4()).status == 404


def test_the_picture_is_the_code_for_its_holder_alone(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]

    seen = picture(buyer, row["id"])

    assert (seen.status, seen.headers["Content-Type"]) == (200, "image/png")
    assert seen.body == qr.png(row["qr_code"])
    assert png.Reader(file=io.BytesIO(seen.body)).read()[0] > 400
    assert [picture(other, row["id"]).status for other in (a_user(), sales.organizer)] == [404, 404]
