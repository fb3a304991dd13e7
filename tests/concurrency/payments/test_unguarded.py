"""Negative controls of test_money.py: the same meetings without the guard that decides them, and what they cost."""

from decimal import Decimal
from uuid import uuid4

from functions.payments import charging, provider, refund_outcomes, refunding
from functions.payments.database import database
from functions.payments.repository import orders, refunds
from functions.payments.saga_models import Reservation
from shared.clock import now
from tests.payments_shop import Shop


def taken(shop: Shop, order_id: str) -> int:
    """Cents that Stripe has of the order's."""
    return sum(intent["amount"] for intent in shop.intents(order_id) if intent["status"] == "succeeded")


def pay(order_id: str, *, number: int, attempt: str) -> None:
    provider.stripe().pay(
        order_id=order_id,
        intent_id=None,
        amount=Decimal("99.00"),
        currency="USD",
        payment_token="pm_card_visa",
        attempt_key=attempt,
        payment_number=number,
    )


def test_control_two_attempts_with_a_payment_each_charge_twice(shop: Shop) -> None:
    order_id = str(uuid4())
    for number in (1, 2):
        pay(order_id, number=number, attempt=str(uuid4()))
    assert taken(shop, order_id) == 2 * 9900


def test_two_attempts_at_the_order_s_one_payment_charge_once(shop: Shop) -> None:
    order_id = str(uuid4())
    for _ in range(2):
        pay(order_id, number=1, attempt=str(uuid4()))
    assert taken(shop, order_id) == 9900


def test_control_a_refund_command_without_its_own_key_gives_the_money_twice(shop: Shop) -> None:
    order_id = str(uuid4())
    pay(order_id, number=1, attempt=str(uuid4()))
    [intent] = shop.intents(order_id)
    for _ in range(2):
        provider.stripe().refund(intent_id=intent["id"], amount=Decimal("30.00"), key=str(uuid4()))
    assert [found["amountRefunded"] for found in shop.intents(order_id)] == [6000]


def test_control_a_charge_that_cancelling_did_not_forbid_takes_money_for_nothing(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.cancel(reservation["orderId"]) == "cancelled"
    shop.db.run("DELETE FROM order_starts")  # what CancelPayment leaves for a Charge that is on its way
    assert shop.charge(reservation) == "paid"
    assert taken(shop, reservation["orderId"]) == 9900


def test_a_charge_that_comes_after_cancelling_takes_nothing(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.cancel(reservation["orderId"]) == "cancelled"
    assert shop.charge(reservation) == "waiting"
    assert taken(shop, reservation["orderId"]) == 0


def test_control_an_attempt_that_is_not_looked_at_again_is_carried_out_after_the_end(shop: Shop) -> None:
    """`charging.due` reads the order under its lock: without it, what was due a moment ago is paid."""
    reservation = shop.reservation()
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    shop.db.run("UPDATE orders SET payment_status = 'CANCELLED'")  # by somebody who did not ask the provider
    charging.carry_out(provider.stripe(), due)
    assert taken(shop, reservation["orderId"]) == 9900


def test_control_a_refund_that_is_recorded_without_being_finished_once_counts_twice(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.charge(reservation) == "paid"
    order_id = Reservation.model_validate(reservation).order_id
    shop.db.run("ALTER TABLE orders DROP CONSTRAINT orders_refunds_within_payment")
    with database.transaction() as sql:
        order = orders.lock(sql, order_id)
        assert order is not None
        refund_id = refunding.ask(sql, order, Decimal("60.00"), now(), cause="REQUESTED", reason="Sorry")
    for _ in range(2):  # two consumers that both saw it REQUESTED
        with database.transaction() as sql:
            order, refund = orders.lock(sql, order_id), refunds.get(sql, refund_id)
            assert order is not None
            assert refund is not None
            refund_outcomes._succeeded(sql, order, refund, None, now())
    assert shop.order(str(order_id))["refunded_amount"] == Decimal("120.00")
