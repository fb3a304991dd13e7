"""Charge and AwaitPayment: money is taken once, whatever breaks on the way."""

from typing import Any
from uuid import UUID

import pytest

from functions.payments import charging, provider, waiting
from functions.payments.database import database
from functions.payments.gateways.gateway import GatewayTimeout, GatewayUnavailable
from functions.payments.repository import task_tokens
from functions.payments.saga import await_payment
from functions.payments.saga_models import Reservation
from shared.clock import now
from shared.contracts import OrderPaid, PaymentFailed
from tests.payments_shop import Shop
from tests.support import a_user, context


def wait(shop: Shop, order_id: str, outcome: str, reservation: dict[str, Any] | None = None) -> None:
    given = {"orderId": order_id, "taskToken": "a-token", "outcome": outcome, "reservation": reservation}
    await_payment.handler(given, context())


def answers(shop: Shop, order_id: str) -> int:
    rows = shop.db.all("SELECT 1 FROM outbox WHERE destination = 'task' AND subject = %(id)s", id=order_id)
    return len(rows)


def test_a_good_card_pays_the_order(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.charge(reservation) == "paid"
    order = shop.order(reservation["orderId"])
    assert (order["payment_status"], order["captured_amount"]) == ("PAID", order["total_amount"])
    assert [paid["amount"] for paid in shop.published(OrderPaid, reservation["orderId"])] == ["99.00"]
    assert shop.history(reservation["orderId"]) == ["ORDER_CREATED", "PAID"]
    [intent] = shop.intents(reservation["orderId"])
    assert (intent["status"], intent["id"]) == ("succeeded", order["payment_gateway_transaction_id"])


def test_charge_run_again_gives_the_same_answer_and_takes_nothing_more(shop: Shop) -> None:
    reservation = shop.reservation()
    assert [shop.charge(reservation) for _ in range(3)] == ["paid"] * 3
    assert len(shop.intents(reservation["orderId"])) == 1
    assert shop.attempts(reservation["orderId"]) == ["SUCCEEDED"]
    assert len(shop.published(OrderPaid, reservation["orderId"])) == 1


def test_a_declined_card_is_an_outcome_and_the_order_can_still_be_paid(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_chargeDeclined")
    assert shop.charge(reservation) == "declined"
    order = shop.order(reservation["orderId"])
    assert (order["payment_status"], order["failure_code"]) == ("PAYMENT_FAILED", "generic_decline")
    [failed] = shop.published(PaymentFailed, reservation["orderId"])
    assert (failed["code"], failed["orderNumber"]) == ("generic_decline", reservation["orderNumber"])
    assert shop.charge(reservation) == "declined"
    assert len(shop.published(PaymentFailed, reservation["orderId"])) == 1


def test_3d_secure_is_an_action_of_the_buyers(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_authenticationRequired")
    assert shop.charge(reservation) == "action_required"
    order = shop.order(reservation["orderId"])
    assert order["payment_status"] == "REQUIRES_ACTION"
    assert order["client_secret"].startswith(order["payment_gateway_transaction_id"] + "_secret_")


@pytest.mark.parametrize("mode", ["error", "kill_before", "kill_after"])
def test_a_provider_that_breaks_is_tried_again_under_the_same_keys(shop: Shop, mode: str) -> None:
    reservation = shop.reservation()
    shop.stripe.fault(mode, operation="payment_intents.confirm", times=2)
    with pytest.raises((GatewayUnavailable, GatewayTimeout)):
        shop.charge(reservation)
    assert (shop.status(reservation["orderId"]), shop.attempts(reservation["orderId"])) == (
        "PENDING",
        ["OPEN"],
    )
    shop.stripe.control("DELETE", "faults")
    assert shop.charge(reservation) == "paid"
    assert [intent["status"] for intent in shop.intents(reservation["orderId"])] == ["succeeded"]


def test_a_process_that_dies_between_call_and_record_is_healed_by_running_again(shop: Shop) -> None:
    reservation = shop.reservation()
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    charging.carry_out(provider.stripe(), due)  # and here it died
    assert shop.charge(reservation) == "paid"
    assert shop.attempts(reservation["orderId"]) == ["SUCCEEDED"]
    assert len(shop.intents(reservation["orderId"])) == 1


def test_a_card_that_was_declined_is_not_asked_again_by_running_again(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_chargeDeclined")
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    charging.carry_out(provider.stripe(), due)  # and here it died

    def asked() -> str | None:
        (intent,) = shop.intents(reservation["orderId"])
        return str(shop.stripe.client().v1.payment_intents.retrieve(intent["id"]).latest_charge)

    first = asked()
    assert shop.charge(reservation) == "declined"
    assert asked() == first


def test_a_free_order_is_paid_without_the_provider(shop: Shop) -> None:
    reservation = shop.reservation(price="0.00", method="free", token=None)
    assert shop.charge(reservation) == "paid"
    assert shop.intents(reservation["orderId"]) == []
    assert shop.charge(reservation) == "paid"


def test_without_a_payment_method_the_buyer_is_asked_for_one_without_a_mail(shop: Shop) -> None:
    reservation = shop.reservation(token=None)
    assert shop.charge(reservation) == "declined"
    assert shop.order(reservation["orderId"])["failure_code"] == "payment_method_required"
    assert shop.published(PaymentFailed, reservation["orderId"]) == []


def test_nothing_is_charged_after_pay_by(shop: Shop) -> None:
    reservation = shop.reservation(seconds=-1)
    assert shop.charge(reservation) == "waiting"
    assert shop.intents(reservation["orderId"]) == []
    assert shop.cancel(reservation["orderId"]) == "cancelled"


def test_an_order_cancelled_before_it_was_begun_is_never_charged(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.cancel(reservation["orderId"]) == "cancelled"
    assert shop.charge(reservation) == "waiting"
    assert shop.db.all("SELECT 1 FROM orders") == []
    assert shop.intents(reservation["orderId"]) == []
    assert shop.cancel(reservation["orderId"]) == "cancelled"


def test_a_waiting_purchase_is_woken_by_the_money(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_authenticationRequired")
    shop.charge(reservation)
    wait(shop, reservation["orderId"], "action_required")
    assert answers(shop, reservation["orderId"]) == 0
    intent_id = shop.authenticate(reservation["orderId"])
    assert shop.webhook(intent_id, "payment_intent.succeeded").status == 200
    shop.deliver()
    assert shop.status(reservation["orderId"]) == "PAID"
    assert answers(shop, reservation["orderId"]) == 1
    assert shop.db.all("SELECT 1 FROM task_tokens") == []


def test_a_purchase_that_waits_anew_is_woken_by_its_new_token(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_authenticationRequired")
    shop.charge(reservation)
    order_id = UUID(reservation["orderId"])
    for token in ("an-old-token", "a-new-token"):
        with database.transaction() as sql:
            waiting.wait(sql, order_id, token, "action_required", None, now())
    with database.transaction() as sql:
        assert task_tokens.take(sql, order_id) == "a-new-token"


def test_a_purchase_that_begins_to_wait_after_the_money_came_is_answered_at_once(shop: Shop) -> None:
    reservation = shop.reservation()
    shop.charge(reservation)
    wait(shop, reservation["orderId"], "waiting")
    assert answers(shop, reservation["orderId"]) == 1


def test_when_the_provider_stays_away_the_buyer_may_try_again(shop: Shop) -> None:
    reservation = shop.reservation()
    shop.stripe.fault("error", times=20)
    with pytest.raises(GatewayUnavailable):
        shop.charge(reservation)
    wait(shop, reservation["orderId"], "unavailable")
    order = shop.order(reservation["orderId"])
    assert (order["payment_status"], order["failure_code"]) == ("PAYMENT_FAILED", "provider_unavailable")
    assert shop.attempts(reservation["orderId"]) == ["FAILED"]
    assert len(shop.published(PaymentFailed, reservation["orderId"])) == 1


def test_when_our_database_stayed_away_the_order_is_recorded_all_the_same_and_the_buyer_may_try_again(
    shop: Shop,
) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer)  # Charge could not write anything of it
    for _ in range(2):
        wait(shop, reservation["orderId"], "unavailable", reservation)
    order = shop.order(reservation["orderId"])
    assert (order["payment_status"], order["failure_code"]) == ("PAYMENT_FAILED", "provider_unavailable")
    assert answers(shop, reservation["orderId"]) == 0

    assert shop.pay_again(buyer, reservation["orderId"]).status == 202
    shop.deliver()

    assert shop.status(reservation["orderId"]) == "PAID"
    assert answers(shop, reservation["orderId"]) == 1


def test_a_free_order_that_could_not_be_recorded_by_charge_is_paid_when_it_is(shop: Shop) -> None:
    reservation = shop.reservation(price="0.00", method="free", token=None)
    wait(shop, reservation["orderId"], "unavailable", reservation)
    assert answers(shop, reservation["orderId"]) == 1


def test_a_payment_that_the_provider_will_not_take_is_a_failure_the_buyer_sees(shop: Shop) -> None:
    reservation = shop.reservation(price="0.10")  # less than Stripe's least amount
    assert shop.charge(reservation) == "declined"
    assert shop.order(reservation["orderId"])["failure_code"] == "provider_refused"
