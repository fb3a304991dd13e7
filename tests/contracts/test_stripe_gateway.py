"""What is particular to Stripe behind `PaymentGateway`, and what is tried in its test mode.

Runs against the simulated Stripe; with STRIPE_TEST_KEY set, what needs neither faults nor the buyer's own step is also
tried in Stripe's test mode.
"""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import stripe

from functions.payments.gateways.gateway import (
    BadSignature,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUndecided,
    PaymentGateway,
    PaymentOutcome,
    PaymentResult,
)
from functions.payments.gateways.stripe_gateway import StripeGateway, StripeSecret
from tests.contracts.conftest import Account
from tests.stripe_server import SECRET_KEY, WEBHOOK_SECRET, Endpoint, StripeServer, eventually

# A debit of a bank account, which is done in days, as a buyer's browser confirms it.
DEBIT: Any = {
    "payment_method": "pm_usBankAccount_processing",
    "mandate_data": {"customer_acceptance": {"type": "online"}},
}


def _gateway(
    account: Account, *, timeout_seconds: float = 10, max_network_retries: int = 2
) -> PaymentGateway:
    secret: StripeSecret = {
        "secretKey": account.key,
        "webhookSecret": WEBHOOK_SECRET,
        "publishableKey": "pk_test_",
    }
    if account.base:
        secret["apiBase"] = account.base
    return StripeGateway(secret, timeout_seconds=timeout_seconds, max_network_retries=max_network_retries)


@pytest.fixture
def gateway(account: Account) -> PaymentGateway:
    return _gateway(account)


@pytest.fixture
def local_gateway(simulator: StripeServer) -> PaymentGateway:
    """On the simulated account, impatient and without retries: each call shows what one answer does to it."""
    return _gateway(Account(SECRET_KEY, simulator.url), timeout_seconds=0.7, max_network_retries=0)


@pytest.fixture
def order_id() -> str:
    return str(uuid4())


def _pay(
    gateway: PaymentGateway,
    order_id: str,
    card: str = "pm_card_visa",
    *,
    intent_id: str | None = None,
    attempt_key: str | None = None,
) -> PaymentResult:
    return gateway.pay(
        order_id=order_id,
        intent_id=intent_id,
        amount=Decimal("99.00"),
        currency="USD",
        payment_token=card,
        attempt_key=attempt_key or str(uuid4()),
        metadata={"order_number": "BO-1"},
    )


def test_a_good_card_pays_the_order(gateway: PaymentGateway, order_id: str) -> None:
    payment = _pay(gateway, order_id)
    assert payment.outcome is PaymentOutcome.PAID
    assert (payment.amount, payment.amount_refunded, payment.currency) == (
        Decimal("99.00"),
        Decimal("0.00"),
        "USD",
    )
    assert (payment.order_id, payment.failure, payment.disputed) == (order_id, None, False)
    assert payment.charge_id is not None
    assert gateway.fetch(payment.intent_id) == payment


@pytest.mark.parametrize(
    ("card", "code", "message"),
    [
        ("pm_card_chargeDeclined", "generic_decline", "Your card was declined."),
        (
            "pm_card_chargeDeclinedInsufficientFunds",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "Your card has expired."),
        ("pm_card_visa_chargeDeclinedStolenCard", "generic_decline", "Your card was declined."),
        ("pm_card_chargeDeclinedFraudulent", "generic_decline", "Your card was declined."),
    ],
)
def test_a_decline_is_an_outcome_that_the_buyer_may_read(
    gateway: PaymentGateway, order_id: str, card: str, code: str, message: str
) -> None:
    payment = _pay(gateway, order_id, card)
    assert payment.outcome is PaymentOutcome.DECLINED
    assert payment.failure is not None
    assert (payment.failure.code, payment.failure.message) == (code, message)
    assert gateway.fetch(payment.intent_id).failure == payment.failure


def test_a_payment_method_that_does_not_exist_is_a_decline(gateway: PaymentGateway, order_id: str) -> None:
    payment = _pay(gateway, order_id, "pm_card_ofNobody")
    assert payment.outcome is PaymentOutcome.DECLINED
    assert payment.failure is not None
    assert payment.failure.code == "invalid_payment_method"
    assert _pay(gateway, order_id, intent_id=payment.intent_id).outcome is PaymentOutcome.PAID


def test_another_card_pays_the_same_intent(gateway: PaymentGateway, order_id: str) -> None:
    declined = _pay(gateway, order_id, "pm_card_chargeDeclined")
    paid = _pay(gateway, order_id, intent_id=declined.intent_id)
    assert (paid.outcome, paid.intent_id, paid.failure) == (PaymentOutcome.PAID, declined.intent_id, None)


def test_an_intent_whose_id_was_lost_is_found_again(gateway: PaymentGateway, order_id: str) -> None:
    first = _pay(gateway, order_id, "pm_card_chargeDeclined")
    assert _pay(gateway, order_id).intent_id == first.intent_id


def test_the_same_attempt_gives_its_own_answer_and_charges_once(
    gateway: PaymentGateway, order_id: str
) -> None:
    key = str(uuid4())
    first = _pay(gateway, order_id, attempt_key=key)
    assert _pay(gateway, order_id, attempt_key=key) == first

    other_order, key = str(uuid4()), str(uuid4())
    declined = _pay(gateway, other_order, "pm_card_chargeDeclined", attempt_key=key)
    again = _pay(
        gateway, other_order, "pm_card_chargeDeclined", intent_id=declined.intent_id, attempt_key=key
    )
    assert again == declined


def test_a_paid_order_is_not_charged_again(gateway: PaymentGateway, order_id: str) -> None:
    first = _pay(gateway, order_id)
    assert _pay(gateway, order_id, "pm_card_mastercard", intent_id=first.intent_id) == first
    assert _pay(gateway, order_id, "pm_card_chargeDeclined", intent_id=first.intent_id) == first


def test_an_old_decline_does_not_hide_that_the_order_was_paid_since(
    gateway: PaymentGateway, order_id: str
) -> None:
    key = str(uuid4())
    declined = _pay(gateway, order_id, "pm_card_chargeDeclined", attempt_key=key)
    _pay(gateway, order_id, intent_id=declined.intent_id)
    again = _pay(gateway, order_id, "pm_card_chargeDeclined", intent_id=declined.intent_id, attempt_key=key)
    assert again.outcome is PaymentOutcome.PAID


def test_authentication_is_an_outcome_with_what_the_browser_needs(
    gateway: PaymentGateway, order_id: str
) -> None:
    payment = _pay(gateway, order_id, "pm_card_authenticationRequired")
    assert payment.outcome is PaymentOutcome.ACTION_REQUIRED
    assert (payment.client_secret or "").startswith(f"{payment.intent_id}_secret_")
    assert gateway.fetch(payment.intent_id).outcome is PaymentOutcome.ACTION_REQUIRED


def test_the_same_attempt_learns_of_the_authentication(
    local_gateway: PaymentGateway, simulator: StripeServer, order_id: str
) -> None:
    key = str(uuid4())
    waiting = _pay(local_gateway, order_id, "pm_card_authenticationRequired", attempt_key=key)
    simulator.control("POST", f"payment_intents/{waiting.intent_id}/authenticate", {"outcome": "succeed"})
    again = _pay(local_gateway, order_id, "pm_card_authenticationRequired", attempt_key=key)
    assert again.outcome is PaymentOutcome.PAID


def test_a_failed_authentication_is_a_decline(
    local_gateway: PaymentGateway, simulator: StripeServer, order_id: str
) -> None:
    waiting = _pay(local_gateway, order_id, "pm_card_authenticationRequired")
    simulator.control("POST", f"payment_intents/{waiting.intent_id}/authenticate", {"outcome": "fail"})
    after = local_gateway.fetch(waiting.intent_id)
    assert after.outcome is PaymentOutcome.DECLINED
    assert after.failure is not None
    assert after.failure.code == "payment_intent_authentication_failure"


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_authenticationRequired"])
def test_a_cancelled_payment_takes_no_money_any_more(
    gateway: PaymentGateway, order_id: str, card: str
) -> None:
    payment = _pay(gateway, order_id, card)
    assert gateway.cancel(payment.intent_id).outcome == "cancelled"
    assert gateway.cancel(payment.intent_id).outcome == "cancelled"
    late = _pay(gateway, order_id, intent_id=payment.intent_id)
    assert late.outcome is PaymentOutcome.CANCELLED


def test_cancelling_too_late_says_that_the_money_is_here(gateway: PaymentGateway, order_id: str) -> None:
    paid = _pay(gateway, order_id)
    cancellation = gateway.cancel(paid.intent_id)
    assert (cancellation.outcome, cancellation.payment) == ("paid", paid)


def test_only_cards_are_taken_whatever_the_account_has_enabled(
    local_gateway: PaymentGateway, simulator: StripeServer, order_id: str
) -> None:
    declined = _pay(local_gateway, order_id, "pm_card_chargeDeclined")
    with pytest.raises(
        stripe.InvalidRequestError, match="not allowed"
    ):  # the buyer's browser may confirm, too
        simulator.client().v1.payment_intents.confirm(declined.intent_id, DEBIT)
    assert _pay(local_gateway, order_id, intent_id=declined.intent_id).outcome is PaymentOutcome.PAID


def test_what_stripe_still_works_on_is_not_cancelled(
    local_gateway: PaymentGateway, simulator: StripeServer
) -> None:
    intents = simulator.client().v1.payment_intents
    automatic: Any = {"enabled": True, "allow_redirects": "never"}
    intent = intents.create({"amount": 9900, "currency": "usd", "automatic_payment_methods": automatic})
    assert intents.confirm(intent.id, DEBIT).status == "processing"
    with pytest.raises(GatewayUndecided):
        local_gateway.cancel(intent.id)


def test_a_refund_is_made_once_per_key(gateway: PaymentGateway, order_id: str) -> None:
    paid = _pay(gateway, order_id)
    key = str(uuid4())
    first = gateway.refund(
        intent_id=paid.intent_id, amount=Decimal("40.00"), key=key, reason="seat sold twice"
    )
    assert (first.status, first.amount, first.key) == ("succeeded", Decimal("40.00"), key)
    assert first.intent_id == paid.intent_id
    assert gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=key) == first
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")
    assert gateway.fetch_refund(first.refund_id) == first


def test_a_refund_is_found_by_its_key_behind_a_hundred_others(
    local_gateway: PaymentGateway, simulator: StripeServer, order_id: str
) -> None:
    """A day later, when Stripe has forgotten under which key it was asked for."""
    paid, key = _pay(local_gateway, order_id), str(uuid4())
    refunds = simulator.client().v1.refunds
    part: Any = {"payment_intent": paid.intent_id, "amount": 10}
    first = refunds.create(part | {"metadata": {"refund_key": key}})
    for _ in range(100):
        refunds.create(part)
    assert (
        local_gateway.refund(intent_id=paid.intent_id, amount=Decimal("0.10"), key=key).refund_id == first.id
    )


def test_more_than_was_paid_is_not_given_back(gateway: PaymentGateway, order_id: str) -> None:
    paid = _pay(gateway, order_id)
    with pytest.raises(GatewayRefused):
        gateway.refund(intent_id=paid.intent_id, amount=Decimal("99.01"), key=str(uuid4()))
    gateway.refund(intent_id=paid.intent_id, amount=Decimal("99.00"), key=str(uuid4()))
    with pytest.raises(GatewayRefused) as refusal:
        gateway.refund(intent_id=paid.intent_id, amount=Decimal("1.00"), key=str(uuid4()))
    assert refusal.value.provider_code == "charge_already_refunded"


def test_a_refund_may_still_fail(gateway: PaymentGateway, order_id: str) -> None:
    paid = _pay(gateway, order_id, "pm_card_refundFail")
    refund = gateway.refund(intent_id=paid.intent_id, amount=Decimal("99.00"), key=str(uuid4()))
    eventually(lambda: gateway.fetch_refund(refund.refund_id).status == "failed", seconds=60)
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("0.00")


def test_a_dispute_is_seen(gateway: PaymentGateway, order_id: str) -> None:
    paid = _pay(gateway, order_id, "pm_card_createDispute")
    eventually(lambda: gateway.fetch(paid.intent_id).disputed, seconds=60)


def test_a_wrong_key_is_refused_and_told_to_nobody(account: Account, order_id: str) -> None:
    wrong = "sk_test_" + "wrongwrong"
    with pytest.raises(GatewayRefused) as refusal:
        _pay(_gateway(Account(wrong, account.base)), order_id)
    assert wrong[-4:] not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_amount_too_small_is_our_mistake(gateway: PaymentGateway, order_id: str) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway.pay(
            order_id=order_id,
            intent_id=None,
            amount=Decimal("0.49"),
            currency="USD",
            payment_token="pm_card_visa",
            attempt_key=str(uuid4()),
        )
    assert refusal.value.provider_code == "amount_too_small"


def test_an_unknown_intent_is_our_mistake(gateway: PaymentGateway) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway.fetch("pi_nobody")
    assert refusal.value.provider_code == "resource_missing"


@pytest.mark.parametrize("operation", ["payment_intents.create", "payment_intents.confirm"])
def test_a_server_error_that_is_kept_for_the_key_does_not_end_the_attempt(
    local_gateway: PaymentGateway, simulator: StripeServer, order_id: str, operation: str
) -> None:
    key = str(uuid4())
    simulator.fault("error", times=2, operation=operation)
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            _pay(local_gateway, order_id, attempt_key=key)
    paid = _pay(local_gateway, order_id, attempt_key=key)
    assert paid.outcome is PaymentOutcome.PAID
    assert _pay(local_gateway, order_id, attempt_key=key) == paid


def test_a_webhook_names_what_happened_to_which_payment(
    local_gateway: PaymentGateway, endpoint: Endpoint, order_id: str
) -> None:
    paid = _pay(local_gateway, order_id)
    refund = local_gateway.refund(intent_id=paid.intent_id, amount=Decimal("10.00"), key=str(uuid4()))
    eventually(lambda: endpoint.of(paid.intent_id, "payment_intent.succeeded"))
    eventually(lambda: endpoint.of(refund.refund_id, "refund.created"))
    succeeded = endpoint.of(paid.intent_id, "payment_intent.succeeded")[0]
    created = endpoint.of(refund.refund_id, "refund.created")[0]

    event = local_gateway.verify_webhook(succeeded.body, succeeded.headers)
    assert (event.id, event.type) == (succeeded.event["id"], "payment_intent.succeeded")
    assert (event.object_id, event.intent_id) == (paid.intent_id, paid.intent_id)
    event = local_gateway.verify_webhook(created.body, created.headers)
    assert (event.object_id, event.intent_id) == (refund.refund_id, paid.intent_id)


def test_a_webhook_that_was_not_signed_is_refused(
    local_gateway: PaymentGateway, endpoint: Endpoint, order_id: str
) -> None:
    paid = _pay(local_gateway, order_id)
    eventually(lambda: endpoint.of(paid.intent_id, "payment_intent.succeeded"))
    genuine = endpoint.of(paid.intent_id, "payment_intent.succeeded")[0]
    forgeries = [
        (genuine.body.replace(b"succeeded", b"canceled"), genuine.signature),
        (genuine.body, ""),
        (genuine.body, "t=1,v1=" + "0" * 64),
        (genuine.body, "nonsense"),
        (b"\xff\xfe", genuine.signature),
    ]
    for body, signature in forgeries:
        with pytest.raises(BadSignature):
            local_gateway.verify_webhook(body, {"stripe-signature": signature})
