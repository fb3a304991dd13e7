"""Purchasing: a live reservation is bound to an order, once, and its saga started."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from functions.tickets.routes import purchase
from shared.clock import now
from tests.cloud import Cloud
from tests.support import a_user, call
from tests.ticket_sales import Sales


def test_a_purchase_binds_the_seats_until_pay_by_and_starts_its_saga(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {stalls: 2})
    before = now()

    reply = sales.purchase(buyer, reservation)

    order_id = reply.body["orderId"]
    assert reply.status == 202
    assert reply.body == {
        "orderId": order_id,
        "orderNumber": reply.body["orderNumber"],
        "status": "PENDING",
        "statusUrl": f"/api/payments/orders/{order_id}",
    }
    assert (sales.statuses(reservation), sales.stock(stalls)) == (["BOUND"], (0, 2))
    held = sales.db.one("SELECT * FROM ticket_reservations WHERE reservation_id = %(id)s", id=reservation)
    assert held is not None
    assert timedelta(seconds=899) < held["reserved_until"] - before < timedelta(seconds=905)
    begun = {"orderId": order_id, "correlationId": reply.headers["X-Request-Id"]}
    assert aws.execution_inputs() == {order_id: begun}
    assert sales.history(order_id) == [(1, "bound")]


def test_the_same_key_buys_once_and_starts_one_saga(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    first = sales.purchase(buyer, reservation, key="k")
    again = sales.purchase(buyer, reservation, key="k")
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (202, first.body, "true")
    assert len(aws.executions()) == 1


def test_another_key_cannot_buy_the_same_reservation_again(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    assert sales.purchase(buyer, reservation).status == 202
    reply = sales.purchase(buyer, reservation)
    assert (reply.status, reply.code) == (409, "RESERVATION_PURCHASED")


def test_a_purchase_without_a_key_is_refused(sales: Sales) -> None:
    body = {"reservationId": str(uuid4()), "paymentMethod": {"type": "stripe"}}
    reply = call(purchase.handler, "POST", "/api/tickets/purchase", user=a_user(), body=body)
    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})


def test_a_reservation_that_ran_out_cannot_be_bought_swept_or_not(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    scarce = sales.type(event_id, quantity=1)
    reservation = sales.held(buyer, event_id, {scarce: 1})
    sales.run_out(reservation)

    unswept = sales.purchase(buyer, reservation)
    assert (unswept.status, unswept.code) == (409, "RESERVATION_EXPIRED")

    sales.held(a_user(), event_id, {scarce: 1})
    swept = sales.purchase(buyer, reservation)
    assert (swept.status, swept.code) == (409, "RESERVATION_EXPIRED")


def test_a_reservation_half_of_which_was_reclaimed_cannot_be_bought(sales: Sales) -> None:
    """Clocks differ between machines: what one of them reclaimed must not be sold by another."""
    event_id, buyer = sales.event(), a_user()
    scarce, plenty = sales.type(event_id, quantity=1), sales.type(event_id)
    reservation = sales.held(buyer, event_id, {scarce: 1, plenty: 1})
    sales.run_out(reservation)
    sales.held(a_user(), event_id, {scarce: 1})
    sales.run_out(reservation, seconds_ago=-60)

    assert sorted(sales.statuses(reservation)) == ["EXPIRED", "HELD"]
    assert sales.purchase(buyer, reservation).code == "RESERVATION_EXPIRED"


def test_nobody_is_charged_for_an_event_that_was_cancelled_meanwhile(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED'")
    reply = sales.purchase(buyer, reservation)
    assert (reply.status, reply.code, sales.statuses(reservation)) == (409, "SALE_CLOSED", ["HELD"])


def test_someone_elses_reservation_is_not_found(sales: Sales) -> None:
    event_id = sales.event()
    reservation = sales.held(a_user(), event_id, {sales.type(event_id): 1})
    assert sales.purchase(a_user(), reservation).status == 404
    assert sales.purchase(a_user(), str(uuid4())).status == 404
    assert sales.statuses(reservation) == ["HELD"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"paymentMethod": {"type": "gold"}}, "paymentMethod.type"),
        ({"paymentMethod": {"type": "free"}}, "paymentMethod.type"),
        ({"paymentMethod": {"type": "stripe", "token": "pm card"}}, "paymentMethod.token"),
        ({"paymentMethod": {"type": "stripe", "token": ""}}, "paymentMethod.token"),
        ({"paymentMethod": {"type": "stripe", "number": "x"}}, "paymentMethod.number"),
        ({"holderNames": ["A", "B", "C"]}, "holderNames"),
        ({"holderNames": ["A", " "]}, "holderNames[1]"),
        ({"holderNames": ["A\nBcc: x"]}, "holderNames[0]"),
        ({"totalAmount": "0.01"}, "totalAmount"),
    ],
)
def test_what_is_wrong_with_a_purchase_is_named(sales: Sales, changes: dict[str, object], field: str) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 2})
    reply = sales.purchase(buyer, reservation, **changes)
    assert (reply.status, reply.fields) == (400, {field})
    assert sales.statuses(reservation) == ["HELD"]


def test_an_order_without_a_price_may_be_free(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id, price="0"): 2})
    assert sales.purchase(buyer, reservation, paymentMethod={"type": "free"}).status == 202


def test_an_order_number_is_short_and_has_no_letters_that_look_like_digits(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id, limit=100)
    numbers = {
        sales.purchase_row(sales.order(buyer, event_id, {stalls: 1}))["order_number"] for _ in range(20)
    }
    assert len(numbers) == 20
    assert all(len(number) == 17 and not set(number.removeprefix("BO-")) & set("IO01") for number in numbers)


def test_a_purchase_stands_when_its_saga_cannot_be_started(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep starts it later."""
    monkeypatch.delenv("PURCHASE_STATE_MACHINE_ARN")
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    assert sales.purchase(buyer, reservation).status == 202
    assert sales.statuses(reservation) == ["BOUND"]


def test_pay_by_follows_its_setting(sales: Sales) -> None:
    sales.extension.parameters["pay_seconds"] = "10"
    event_id = sales.event()
    before = now()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    pay_by: datetime = sales.purchase_row(order_id)["pay_by"]
    assert timedelta(seconds=9.9) < pay_by - before < timedelta(seconds=15)
