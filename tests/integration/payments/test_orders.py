"""GET /api/payments/orders: who sees what of an order, and when."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from functions.payments import fulfilment
from functions.payments.consumers import mail, tickets
from functions.payments.database import database
from functions.payments.models import Ticket
from functions.payments.routes import get_order, list_event_orders
from shared.clock import iso, now
from shared.identity import Role, User
from tests.payments_shop import Shop
from tests.support import Reply, a_user, call


def see(user: User, order_id: object) -> Reply:
    return call(get_order.handler, "GET", f"/api/payments/orders/{order_id}", user=user)


def listed(shop: Shop, user: User, **query: object) -> Reply:
    return call(
        list_event_orders.handler,
        "GET",
        "/api/payments/orders",
        user=user,
        query={"eventId": shop.event_id, **query},
    )


def test_an_order_is_shown_as_paid_only_with_its_tickets(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    assert see(buyer, order_id).body["paymentStatus"] == "PENDING"
    issued = shop.issue(order_id)
    shown = see(buyer, order_id).body
    assert shown["paymentStatus"] == "PAID"
    assert [ticket["id"] for ticket in shown["tickets"]] == [ticket["ticketId"] for ticket in issued]
    assert (shown["totalAmount"], shown["currency"], shown["payBy"]) == ("99.00", "USD", None)
    assert shown["items"][0] | {"ticketTypeId": ""} == {
        "ticketTypeId": "",
        "name": "Stalls",
        "quantity": 2,
        "unitPrice": "49.50",
        "totalPrice": "99.00",
    }
    assert [entry["type"] for entry in shown["history"]] == ["ORDER_CREATED", "PAID", "TICKETS_ISSUED"]
    assert shown["paymentMethod"] == {"type": "stripe"}


def test_tickets_is_asked_for_what_nobody_told_us_yet_and_once_only(shop: Shop) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer)
    shop.charge(reservation)
    ticket_id = uuid4()
    shop.tickets_says(reservation, "ISSUED", ticket_id)
    shown = see(buyer, reservation["orderId"]).body
    assert (shown["paymentStatus"], [t["id"] for t in shown["tickets"]]) == ("PAID", [str(ticket_id)])
    assert set(shown["tickets"][0]) == {"id", "ticketNumber", "ticketTypeId", "status"}
    see(buyer, reservation["orderId"])
    assert shop.tickets.asked == 1
    known = {name: shown["tickets"][0][name] for name in ("ticketNumber", "ticketTypeId")}
    data = {name: reservation[name] for name in ("orderId", "orderNumber", "userId", "eventId")}
    told = data | {"tickets": [{"ticketId": str(ticket_id), **known}]}
    shop.hear(tickets, "tickets.order_issued.v1", told)  # the message comes late, and changes nothing
    assert shop.history(reservation["orderId"]).count("TICKETS_ISSUED") == 1
    assert [t["id"] for t in see(buyer, reservation["orderId"]).body["tickets"]] == [str(ticket_id)]


def test_an_answer_from_before_the_tickets_were_released_does_not_bring_them_back(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    gone = {"orderId": order_id, "userId": str(uuid4()), "eventId": str(shop.event_id)}
    shop.hear(tickets, "tickets.order_released.v1", gone, version=3)
    answered: Ticket = {
        "id": str(uuid4()),
        "ticketNumber": "T-1",
        "ticketTypeId": str(uuid4()),
        "status": "ACTIVE",
    }

    with database.transaction() as sql:
        fulfilment.issued(sql, UUID(order_id), [answered], now())

    order = shop.order(order_id)
    assert (order["tickets"], order["released_at"] is None) == (None, False)


def test_a_paid_order_is_pending_while_tickets_cannot_be_asked(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    shop.tickets.status = 503
    reply = see(buyer, order_id)
    assert (reply.status, reply.body["paymentStatus"]) == (200, "PENDING")


def test_an_order_that_has_not_come_here_is_as_tickets_says(shop: Shop) -> None:
    buyer = a_user()
    for status, shown in (("PENDING", "PENDING"), ("CANCELLED", "CANCELLED")):
        reservation = shop.reservation(buyer=buyer)
        shop.tickets_says(reservation, status)
        reply = see(buyer, reservation["orderId"])
        assert (reply.status, reply.body["paymentStatus"]) == (200, shown)
        assert reply.body["orderNumber"] == reservation["orderNumber"]
    assert see(buyer, uuid4()).status == 404
    shop.tickets.status = 500
    assert see(buyer, uuid4()).status == 503


def test_while_tickets_is_stopped_a_paid_order_is_pending_and_an_unknown_one_503(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    shop.tickets.close()
    for _ in range(6):  # the circuit opens on the way
        reply = see(buyer, order_id)
        assert (reply.status, reply.body["paymentStatus"]) == (200, "PENDING")
    reply = see(buyer, uuid4())
    assert (reply.status, 1 <= int(reply.headers["Retry-After"]) <= 30) == (503, True)


def test_an_order_concerns_its_buyer_its_organizer_and_admins(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    shop.issue(order_id)
    for user in (buyer, shop.organizer, a_user(Role.ADMIN)):
        assert see(user, order_id).status == 200
    for user in (a_user(), a_user(Role.ORGANIZER)):
        assert see(user, order_id).code == "NOT_FOUND"


def test_the_client_secret_is_the_buyers_alone(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    shown = see(buyer, order_id).body
    assert shown["paymentStatus"] == "REQUIRES_ACTION"
    assert "_secret_" in shown["clientSecret"]
    assert shown["payBy"] is not None
    for user in (shop.organizer, a_user(Role.ADMIN)):
        assert see(user, order_id).body["clientSecret"] is None


def test_a_declined_order_says_why_and_until_when_it_can_be_paid(shop: Shop) -> None:
    buyer = a_user()
    shown = see(buyer, shop.order_of(buyer, "pm_card_chargeDeclinedInsufficientFunds")).body
    assert shown["paymentStatus"] == "PAYMENT_FAILED"
    assert shown["failure"]["code"] == "insufficient_funds"
    assert shown["payBy"] is not None


def test_an_order_shows_what_became_of_its_tickets_and_its_mail(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    issued = shop.issue(order_id)
    at_the_door = {
        "ticketId": issued[0]["ticketId"],
        "orderId": order_id,
        "eventId": str(shop.event_id),
        "checkedInAt": "2026-12-01T19:00:00.000Z",
    }
    shop.hear(tickets, "tickets.ticket_checked_in.v1", at_the_door)
    mailed = {"notificationId": str(uuid4()), "userId": str(buyer.id), "orderId": order_id}
    for template, status in (
        ("payment-failed", "BOUNCED"),
        ("order-confirmation", "DELIVERED"),
        ("order-confirmation", "SENT"),
    ):
        shop.hear(
            mail, "notifications.mail_status_changed.v1", mailed | {"template": template, "status": status}
        )
    shown = see(buyer, order_id).body
    assert [ticket["status"] for ticket in shown["tickets"]] == ["USED", "ACTIVE"]
    assert shown["mailStatus"] == "DELIVERED"


@pytest.mark.parametrize("is_late", [False, True])
def test_an_order_shows_what_became_of_the_newest_of_its_mails(shop: Shop, is_late: bool) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    cancelled, confirmed = (uuid4(), "DELIVERED", now()), (uuid4(), "FAILED", now() + timedelta(seconds=1))
    for mail_id, status, at in (confirmed, cancelled) if is_late else (cancelled, confirmed):
        with database.transaction() as sql:
            fulfilment.mailed(sql, UUID(order_id), mail_id, status, at, now())
    assert see(buyer, order_id).body["mailStatus"] == "FAILED"


def test_an_order_is_told_late_of_an_older_mail_in_vain(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    told = {"userId": str(buyer.id), "orderId": order_id, "status": "SENT"}
    for template, status, asked_at in (
        ("order-confirmation", "BOUNCED", now()),
        ("order-cancelled", "DELIVERED", now() - timedelta(hours=1)),
    ):
        news = {"template": template, "deliveryStatus": status, "askedAt": iso(asked_at)}
        shop.hear(
            mail, "notifications.mail_status_changed.v1", told | news | {"notificationId": str(uuid4())}
        )
    assert see(buyer, order_id).body["mailStatus"] == "BOUNCED"


@pytest.mark.parametrize("first", ["check-in", "void"])
def test_a_used_ticket_that_was_void_for_a_while_was_used(shop: Shop, first: str) -> None:
    order_id = shop.order_of(a_user())
    issued = shop.issue(order_id)
    ticket_id, event_id, user_id = issued[0]["ticketId"], str(shop.event_id), str(uuid4())
    told = {"orderId": order_id, "userId": user_id, "eventId": event_id}
    used = {"ticketId": ticket_id, "orderId": order_id, "eventId": event_id, "checkedInAt": iso(now())}
    void = told | {"ticketIds": [ticket_id], "reason": "DISPUTED"}
    news = [("tickets.ticket_checked_in.v1", used), ("tickets.tickets_voided.v1", void)]
    for type_, data in news if first == "check-in" else reversed(news):
        shop.hear(tickets, type_, data)
    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["VOID", "ACTIVE"]

    shop.hear(tickets, "tickets.order_issued.v1", told | {"orderNumber": "BO-1", "tickets": issued})

    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["USED", "ACTIVE"]


def test_released_seats_void_the_tickets_of_an_order(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    gone = {"orderId": order_id, "userId": str(uuid4()), "eventId": str(shop.event_id)}
    shop.hear(tickets, "tickets.order_released.v1", gone)
    shop.hear(tickets, "tickets.order_released.v1", gone)
    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["VOID", "VOID"]
    assert shop.history(order_id)[-1:] == ["TICKETS_RELEASED"]


def test_an_organizer_pages_through_the_orders_of_an_event(shop: Shop) -> None:
    ids = [shop.order_of(a_user()) for _ in range(3)]
    shop.issue(ids[0])
    first = listed(shop, shop.organizer, limit=2).body
    second = listed(shop, shop.organizer, limit=2, cursor=first["nextCursor"]).body
    assert [item["orderId"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["nextCursor"] is None
    assert [i["orderId"] for i in listed(shop, shop.organizer, status="PAID").body["items"]] == [ids[0]]
    assert len(listed(shop, shop.organizer, status="PENDING").body["items"]) == 2


def test_orders_are_found_by_number_and_by_buyer(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    shop.order_of(a_user())
    number = str(shop.order(order_id)["order_number"])
    for q in (number, number[3:9].lower(), str(buyer.id)):
        assert [item["orderId"] for item in listed(shop, shop.organizer, q=q).body["items"]] == [order_id]
    assert listed(shop, shop.organizer, q="%").body["items"] == []


def test_of_a_draft_tickets_knows_whose_it_is(shop: Shop) -> None:
    assert listed(shop, a_user(Role.ORGANIZER)).status == 404

    shop.tickets.own_events.add(str(shop.event_id))

    assert listed(shop, shop.organizer).body == {"items": [], "nextCursor": None}


def test_the_list_is_for_the_events_organizer(shop: Shop) -> None:
    shop.order_of(a_user())
    assert listed(shop, a_user()).status == 403
    assert listed(shop, a_user(Role.ORGANIZER)).status == 404
    assert len(listed(shop, a_user(Role.ADMIN)).body["items"]) == 1
    assert listed(shop, shop.organizer, status="NONE").fields == {"status"}
    assert listed(shop, shop.organizer, cursor="x").fields == {"cursor"}
    reply = call(list_event_orders.handler, "GET", "/api/payments/orders", user=shop.organizer)
    assert reply.fields == {"eventId"}
