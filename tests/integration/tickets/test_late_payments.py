"""Late money, and disputes that were won: seats again if they can be had, and the same answer however often asked."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.tickets.consumers import payments
from functions.tickets.routes import check_in, delete_ticket_type, update_ticket_type
from tests.cloud import Cloud
from tests.integration.tickets.test_consumers import hear, refund
from tests.rivals import half_done
from tests.support import a_user, call
from tests.ticket_sales import Sales

QUEUE = "tickets-payments"


def pay_late(aws: Cloud, order_id: str, version: int = 1) -> None:
    data = {"orderId": order_id}
    hear(aws, payments, QUEUE, "payments.late_payment_received.v1", data, version=version)


def dispute(aws: Cloud, order_id: str, version: int = 1) -> None:
    data = {"orderId": order_id, "userId": str(uuid4()), "eventId": str(uuid4())}
    hear(aws, payments, QUEUE, "payments.order_disputed.v1", data, version=version)


def told(aws: Cloud, type_: str) -> list[dict[str, Any]]:
    return [message["data"] for message in aws.messages("tickets") if message["type"] == type_]


def refusals(aws: Cloud) -> list[str]:
    return [message["reason"] for message in told(aws, "tickets.late_payment_refused.v1")]


def released(sales: Sales, event_id: UUID, items: dict[UUID, int], **changes: Any) -> str:
    """An order whose time to pay is over, its seats on sale again, its buyer told so."""
    order_id = sales.order(changes.pop("buyer", None) or a_user(), event_id, items, **changes)
    sales.release(order_id)
    sales.notify(order_id, "cancelled")
    return order_id


def test_late_money_buys_the_same_seats_at_the_same_price(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = sales.type(event_id), sales.type(event_id)
    order_id = released(sales, event_id, {stalls: 2, balcony: 1}, buyer=buyer, holderNames=["Ada"])
    sales.db.run("UPDATE ticket_types SET price = 99, sale_end_date = now() - interval '1 minute'")

    for _ in range(2):
        pay_late(aws, order_id)

    assert [row["status"] for row in sales.tickets(order_id)] == ["ACTIVE"] * 3
    assert (sales.stock(stalls), sales.stock(balcony)) == ((2, 0), (1, 0))
    assert (sales.taken(stalls, buyer), sales.taken(balcony, buyer)) == (2, 1)
    assert sales.statuses(str(sales.purchase_row(order_id)["reservation_id"])) == ["ISSUED", "ISSUED"]
    assert sales.history(order_id) == [(1, "bound"), (2, "released"), (3, "issued")]
    mails = [message["data"] for message in aws.messages("mail")]
    assert [mail["template"] for mail in mails] == ["order-cancelled", "order-confirmation"]
    assert mails[1]["data"]["totalAmount"] == "148.50"
    assert refusals(aws) == []


def test_seats_bought_again_after_their_tickets_were_void_have_numbers_of_their_own(
    sales: Sales, aws: Cloud
) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 2})[0]["order_id"])
    sales.release(order_id)

    pay_late(aws, order_id)

    assert [row["status"] for row in sales.tickets(order_id)] == ["VOID", "VOID", "ACTIVE", "ACTIVE"]
    assert [row["ticket_number"][-2:] for row in sales.tickets(order_id)] == ["-1", "-2", "-3", "-4"]
    assert sales.stock(id) == (2, 0)


def test_late_money_for_seats_that_somebody_else_has_is_refused_for_good(sales: Sales, aws: Cloud) -> None:
    event_id, other = sales.event(), a_user()
    scarce, plenty = sales.type(event_id, 1), sales.type(event_id)
    order_id = released(sales, event_id, {plenty: 1, scarce: 1})
    taken = sales.held(other, event_id, {scarce: 1})

    pay_late(aws, order_id)

    assert refusals(aws) == ["SOLD_OUT"]
    assert (sales.tickets(order_id), sales.stock(plenty), sales.stock(scarce)) == ([], (0, 0), (0, 1))
    sales.run_out(taken)
    pay_late(aws, order_id)
    assert refusals(aws) == ["SOLD_OUT", "REFUSED_BEFORE"], "the money is on its way back already"
    assert sales.tickets(order_id) == []


def test_a_hold_that_ran_out_does_not_stand_in_the_way(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    scarce = sales.type(event_id, 1)
    order_id = released(sales, event_id, {scarce: 1})
    sales.run_out(sales.held(a_user(), event_id, {scarce: 1}))
    pay_late(aws, order_id)
    assert (len(sales.tickets(order_id)), sales.stock(scarce)) == (1, (1, 0))


def test_late_money_keeps_to_the_limit_per_person(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=2)
    order_id = released(sales, event_id, {id: 2}, buyer=buyer)
    sales.issued(buyer, event_id, {id: 1})
    pay_late(aws, order_id)
    assert (refusals(aws), sales.stock(id), sales.taken(id, buyer)) == (["PER_PERSON_LIMIT"], (1, 0), 1)


def test_late_money_for_an_event_that_is_cancelled_or_has_begun_is_refused(sales: Sales, aws: Cloud) -> None:
    cancelled, begun = sales.event(), sales.event()
    orders = [released(sales, id, {sales.type(id): 1}) for id in (cancelled, begun)]
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED' WHERE event_id = %(id)s", id=cancelled)
    sales.db.run("UPDATE event_copies SET event_date = now() WHERE event_id = %(id)s", id=begun)
    for order_id in orders:
        pay_late(aws, order_id)
    assert refusals(aws) == ["EVENT_CANCELLED", "EVENT_STARTED"]


def test_money_that_comes_before_the_saga_released_the_seats_keeps_them(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 2})

    pay_late(aws, order_id)
    sales.release(order_id)
    sales.notify(order_id, "cancelled")

    assert [row["status"] for row in sales.tickets(order_id)] == ["ACTIVE", "ACTIVE"]
    assert sales.stock(id) == (2, 0)
    assert [message["data"]["template"] for message in aws.messages("mail")] == ["order-confirmation"]


def test_a_disputed_ticket_lets_nobody_in_and_its_seat_is_on_sale(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    row = sales.issued(a_user(), event_id, {id: 1})[0]
    for _ in range(2):
        dispute(aws, str(row["order_id"]))

    body = {"qrCode": row["qr_code"]}
    reply = call(check_in.handler, "POST", "/api/tickets/check-in", user=sales.organizer, body=body)
    assert (reply.status, reply.code) == (409, "VOID")
    assert sales.stock(id) == (0, 0)
    assert [m["reason"] for m in told(aws, "tickets.tickets_voided.v1")] == ["DISPUTED"]


def test_a_dispute_that_was_won_makes_its_tickets_valid_again(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    refunded, kept = sales.issued(buyer, event_id, {id: 2})
    order_id = str(kept["order_id"])
    refund(aws, order_id, [refunded["id"]], fully=False)
    dispute(aws, order_id)

    for _ in range(2):
        pay_late(aws, order_id)

    statuses = {row["id"]: (row["status"], row["qr_code"]) for row in sales.tickets(order_id)}
    assert statuses == {
        refunded["id"]: ("VOID", refunded["qr_code"]),
        kept["id"]: ("ACTIVE", kept["qr_code"]),
    }
    assert (sales.stock(id), sales.taken(id, buyer)) == ((1, 0), 1)
    assert sales.ticket_history(kept["id"]) == [(1, "issued"), (2, "voided"), (3, "reinstated")]
    issued = told(aws, "tickets.order_issued.v1")[-1]
    assert [ticket["ticketId"] for ticket in issued["tickets"]] == [str(kept["id"])]
    assert [message["data"]["template"] for message in aws.messages("mail")] == ["ticket"]


@pytest.mark.parametrize("seen_open", [True, False])
def test_news_of_a_dispute_that_come_after_it_was_won_void_nothing(
    sales: Sales, aws: Cloud, seen_open: bool
) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 1})[0]["order_id"])
    if seen_open:
        dispute(aws, order_id, version=5)
    pay_late(aws, order_id, version=6)

    dispute(aws, order_id, version=5)

    assert [row["status"] for row in sales.tickets(order_id)] == ["ACTIVE"]
    assert sales.stock(id) == (1, 0)
    assert len(told(aws, "tickets.order_issued.v1")) == 2, "payments is told that they are valid"

    dispute(aws, order_id, version=9)
    assert [row["status"] for row in sales.tickets(order_id)] == ["VOID"], "another one"


def test_money_of_a_won_dispute_buys_nothing_while_the_next_dispute_is_open(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 1})[0]["order_id"])
    dispute(aws, order_id, version=8)

    pay_late(aws, order_id, version=6)

    assert [row["status"] for row in sales.tickets(order_id)] == ["VOID"]
    assert (refusals(aws), sales.stock(id)) == ([], (0, 0))


def test_a_dispute_that_was_won_after_the_seats_were_sold_is_refused(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id, 1)
    order_id = str(sales.issued(a_user(), event_id, {id: 1})[0]["order_id"])
    dispute(aws, order_id)
    sales.issued(a_user(), event_id, {id: 1})
    pay_late(aws, order_id)
    assert (refusals(aws), sales.stock(id)) == (["SOLD_OUT"], (1, 0))
    assert [row["status"] for row in sales.tickets(order_id)] == ["VOID"]


def test_money_for_an_order_without_disputed_tickets_or_unknown_gets_none(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    order_id = str(sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]["order_id"])
    refund(aws, order_id, [], fully=True)
    pay_late(aws, order_id)
    pay_late(aws, str(uuid4()))
    assert refusals(aws) == ["NO_TICKETS"]


@pytest.mark.parametrize("status", ["PUBLISHED", "COMPLETED"])
def test_a_dispute_that_is_won_after_the_event_leaves_used_tickets_used(
    sales: Sales, aws: Cloud, status: str
) -> None:
    order_id = _over_and_disputed(sales, aws, status, is_used=True)

    pay_late(aws, order_id)

    assert [row["status"] for row in sales.tickets(order_id)] == ["USED"]
    assert refusals(aws) == []
    assert aws.messages("mail") == [], "nobody wants a ticket for what is over"


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ("SELECT 1", []),
        ("UPDATE ticket_events SET created_at = now() - interval '2 days'", ["EVENT_STARTED"]),
        ("UPDATE event_copies SET status = 'CANCELLED'", ["EVENT_CANCELLED"]),
    ],
)
def test_tickets_that_a_dispute_voided_after_they_could_be_used_were_worth_their_money(
    sales: Sales, aws: Cloud, changed: str, reasons: list[str]
) -> None:
    order_id = _over_and_disputed(sales, aws, "PUBLISHED", is_used=False)
    sales.db.run(changed)

    pay_late(aws, order_id)

    assert refusals(aws) == reasons


def test_a_ticket_refunded_while_it_is_disputed_stays_void_when_that_is_won(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    refunded, kept = sales.issued(a_user(), event_id, {sales.type(event_id): 2})
    order_id = str(kept["order_id"])
    dispute(aws, order_id)
    refund(aws, order_id, [refunded["id"]], fully=False)

    pay_late(aws, order_id, version=2)

    assert {row["id"]: row["status"] for row in sales.tickets(order_id)} == {
        refunded["id"]: "VOID",
        kept["id"]: "ACTIVE",
    }


def test_tickets_of_before_a_release_are_not_valid_beside_those_of_after_it(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 2})[0]["order_id"])
    dispute(aws, order_id, 1)
    sales.release(order_id)
    pay_late(aws, order_id, 2)
    dispute(aws, order_id, 3)

    pay_late(aws, order_id, 4)

    assert sorted(row["status"] for row in sales.tickets(order_id)) == ["ACTIVE", "ACTIVE", "VOID", "VOID"]
    assert sales.stock(id) == (2, 0)


def _over_and_disputed(sales: Sales, aws: Cloud, status: str, *, is_used: bool) -> str:
    """An order of one ticket, used at the door or not, whose event is over; then its buyer complained to the bank."""
    event_id = sales.event()
    ticket = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    if is_used:
        body = {"qrCode": ticket["qr_code"]}
        call(check_in.handler, "POST", "/api/tickets/check-in", user=sales.organizer, body=body)
    sales.db.run(f"UPDATE event_copies SET event_date = now() - interval '1 day', status = '{status}'")
    dispute(aws, str(ticket["order_id"]))
    return str(ticket["order_id"])


LOCK = "SELECT FROM ticket_reservations WHERE reservation_id = %(id)s FOR UPDATE"


@pytest.mark.parametrize("lacks", ["stock", "allowance"])
@pytest.mark.parametrize("is_won", [False, True])
def test_nothing_is_refused_for_good_while_somebody_gives_a_hold_back_that_ran_out(
    sales: Sales, aws: Cloud, is_won: bool, lacks: str
) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, 1 if lacks == "stock" else 9, limit=1)
    if is_won:
        order_id = str(sales.issued(buyer, event_id, {id: 1})[0]["order_id"])
        dispute(aws, order_id, 5)
    else:
        order_id = released(sales, event_id, {id: 1}, buyer=buyer)
    old = sales.held(buyer if lacks == "allowance" else a_user(), event_id, {id: 1})
    sales.run_out(old)

    with half_done(sales.db, LOCK, id=old), pytest.raises(AssertionError, match="itemIdentifier"):
        pay_late(aws, order_id, 6)
    assert refusals(aws) == []
    pay_late(aws, order_id, 6)  # the message comes again

    assert sales.stock(id) == (1, 0)
    assert [ticket["status"] for ticket in sales.tickets(order_id)] == ["ACTIVE"]


@pytest.mark.parametrize("is_over", [True, False])
def test_a_type_is_made_no_smaller_after_the_event_than_disputed_tickets_need(
    sales: Sales, aws: Cloud, is_over: bool
) -> None:
    event_id = sales.event()
    id = sales.type(event_id, 5)
    order_id = str(sales.issued(a_user(), event_id, {id: 2})[0]["order_id"])
    if is_over:
        sales.db.run("UPDATE event_copies SET event_date = now() - interval '1 hour'")
    dispute(aws, order_id, 5)
    smaller = {"name": "Stalls", "price": "49.50", "quantityAvailable": 1, "perPersonLimit": 10}

    path = f"/api/tickets/types/{id}"
    answers = [
        call(update_ticket_type.handler, "PUT", path, user=sales.organizer, body=smaller).status,
        call(delete_ticket_type.handler, "DELETE", path, user=sales.organizer).status,
    ]

    assert answers == ([409, 409] if is_over else [200, 204])
    pay_late(aws, order_id, 6)
    assert refusals(aws) == ([] if is_over else ["SOLD_OUT"])
