"""A payment provider in trouble is left alone for a while: the seats are kept, and the answers are honest."""

from typing import Any
from unittest.mock import create_autospec

import pytest

from functions.payments import provider
from functions.payments.gateways.gateway import (
    GatewayCircuitOpen,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUndecided,
)
from functions.payments.gateways.paypal_client import PayPalClient
from functions.payments.gateways.paypal_errors import PayPalRefused
from functions.payments.routes import methods, process
from functions.payments.saga import await_payment
from shared.identity import User
from tests.payments_shop import Shop
from tests.support import Reply, a_user, call, context


def _open_circuit(shop: Shop) -> None:
    """Let Stripe fail as often as it takes."""
    shop.stripe.fault("error", times=100)
    for _ in range(5):
        with pytest.raises(GatewayUnavailable):
            provider.stripe().fetch("pi_nobody")
    shop.stripe.control("DELETE", "faults")


def test_after_five_failures_nothing_is_asked_of_the_provider(shop: Shop) -> None:
    _open_circuit(shop)
    with pytest.raises(GatewayCircuitOpen) as refused:
        provider.stripe().fetch("pi_nobody")
    assert refused.value.retry_after
    assert not provider.is_available("stripe")
    assert provider.is_available("paypal")


def test_declines_and_refusals_open_no_circuit(shop: Shop) -> None:
    for _ in range(6):
        assert shop.status(shop.order_of(a_user(), "pm_card_chargeDeclined")) == "PAYMENT_FAILED"
    assert provider.is_available("stripe")


def _processing(shop: Shop) -> str:
    """A debit that Stripe still works on, and so does not cancel yet; its payment's id."""
    intents = shop.stripe.client().v1.payment_intents
    automatic: Any = {"enabled": True, "allow_redirects": "never"}
    debit: Any = {
        "payment_method": "pm_usBankAccount_processing",
        "mandate_data": {"customer_acceptance": {"type": "online"}},
    }
    intent = intents.create({"amount": 9900, "currency": "usd", "automatic_payment_methods": automatic})
    assert intents.confirm(intent.id, debit).status == "processing"
    return intent.id


def test_one_payment_that_stripe_does_not_cancel_yet_keeps_nobody_else_from_paying(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    intent_id = _processing(shop)
    for _ in range(6):
        with pytest.raises(GatewayUndecided):
            provider.stripe().cancel(intent_id)

    assert provider.is_available("stripe")
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def _refusing(monkeypatch: pytest.MonkeyPatch, operation: str, refusal: Exception) -> None:
    refusing = create_autospec(getattr(PayPalClient, operation), side_effect=refusal)
    monkeypatch.setattr(PayPalClient, operation, refusing)


def test_one_order_that_stays_approved_at_paypal_opens_no_circuit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = shop.order_of(a_user(), None, method="paypal")
    shop.approve(order_id)
    _refusing(monkeypatch, "patch_order", GatewayRefused("orders.patch", "NOT_PATCHABLE"))
    for _ in range(6):
        with pytest.raises(GatewayUndecided):
            shop.cancel(order_id)

    assert provider.is_available("paypal")


def test_one_order_that_paypal_does_not_capture_yet_opens_no_circuit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = shop.order_of(a_user(), None, method="paypal")
    intent_id, order = shop.approve(order_id), shop.order(order_id)
    _refusing(monkeypatch, "capture_order", PayPalRefused("orders.capture", "ORDER_NOT_APPROVED", None, None))
    for _ in range(6):
        with pytest.raises(GatewayUndecided):
            provider.paypal().pay(
                order_id=order_id,
                intent_id=intent_id,
                amount=order["total_amount"],
                currency=order["currency"],
                payment_token=None,
                attempt_key="attempt",
            )

    assert provider.is_available("paypal")


def test_a_method_whose_circuit_is_open_is_marked(shop: Shop) -> None:
    _open_circuit(shop)
    reply = call(methods.handler, "GET", "/api/payments/methods")
    shown = {item["type"]: item["available"] for item in reply.body["items"]}
    assert shown == {"stripe": False, "paypal": True, "free": True}


def test_while_it_is_open_the_answer_is_an_honest_503_and_nothing_has_happened_to_the_order(
    shop: Shop,
) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    before = shop.order(order_id)
    _open_circuit(shop)

    refused = shop.pay_again(buyer, order_id)

    assert (refused.status, refused.code) == (503, "SERVICE_UNAVAILABLE")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert shop.deliver() == 0
    assert shop.order(order_id) == before
    provider.forget()  # the circuit is closed again
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def test_what_was_accepted_before_it_opened_is_answered_the_same_afterwards(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    body = {"orderId": order_id, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}
    headers = {"Idempotency-Key": "once"}

    def pay() -> Reply:
        return call(process.handler, "POST", "/api/payments/process", user=buyer, body=body, headers=headers)

    first = pay()
    _open_circuit(shop)
    again = pay()

    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body


def test_an_attempt_that_was_accepted_before_it_opened_ends_at_once_and_may_be_made_again(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    assert shop.pay_again(buyer, order_id).status == 202
    _open_circuit(shop)
    shop.deliver()
    order = shop.order(order_id)
    assert (order["payment_status"], order["failure_code"]) == ("PAYMENT_FAILED", "provider_unavailable")
    provider.forget()  # the circuit is closed again
    shop.pay_again(buyer, order_id)
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def _begun_in_an_outage(shop: Shop, buyer: User) -> str:
    """An order of which Stripe was never asked anything, as its saga leaves it."""
    reservation = shop.reservation(buyer=buyer)
    for _ in range(2):
        with pytest.raises(GatewayCircuitOpen):
            shop.charge(reservation)
    order_id = str(reservation["orderId"])
    waits = {
        "orderId": order_id,
        "taskToken": "token",
        "outcome": "unavailable",
        "reservation": reservation,
    }
    await_payment.handler(waits, context())
    assert shop.order(order_id)["failure_code"] == "provider_unavailable"
    return order_id


def test_whoever_could_not_reach_stripe_pays_with_paypal_while_stripe_is_away(shop: Shop) -> None:
    buyer = a_user()
    _open_circuit(shop)
    order_id = _begun_in_an_outage(shop, buyer)

    assert shop.pay_with_paypal(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "REQUIRES_ACTION"
    shop.approve(order_id)
    assert shop.pay_with_paypal(buyer, order_id).status == 202
    shop.deliver()

    assert (shop.status(order_id), shop.intents(order_id)) == ("PAID", [])


def test_whoever_tried_again_in_the_outage_may_pay_with_paypal_as_well(shop: Shop) -> None:
    buyer = a_user()
    _open_circuit(shop)
    order_id = _begun_in_an_outage(shop, buyer)
    provider.forget()
    assert shop.pay_again(buyer, order_id).status == 202
    _open_circuit(shop)
    shop.deliver()

    assert shop.pay_with_paypal(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "REQUIRES_ACTION"


def test_what_was_never_asked_is_over_without_asking(shop: Shop) -> None:
    _open_circuit(shop)
    order_id = _begun_in_an_outage(shop, a_user())
    assert shop.cancel(order_id) == "cancelled"


def test_whoever_may_have_paid_at_stripe_cannot_leave_it_while_it_is_away(shop: Shop) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer)
    order_id = str(reservation["orderId"])
    shop.stripe.fault("kill_after", operation="payment_intents.confirm", times=2)
    with pytest.raises(GatewayUnavailable):
        shop.charge(reservation)
    await_payment.handler({"orderId": order_id, "taskToken": "token", "outcome": "unavailable"}, context())
    _open_circuit(shop)
    before = shop.order(order_id)

    refused = shop.pay_with_paypal(buyer, order_id)

    assert (refused.status, refused.code) == (503, "SERVICE_UNAVAILABLE")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert (shop.deliver(), shop.order(order_id)) == (0, before)
    provider.forget()
    assert shop.pay_with_paypal(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "PAID", "at Stripe, whose answer was lost"
