"""Stripe's objects in our words, where no test token brings them about."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

from functions.payments.gateways.gateway import PaymentOutcome
from functions.payments.gateways.stripe_answers import from_minor, payment_result, refund_result, to_minor


def _intent(**changes: Any) -> stripe.PaymentIntent:
    values = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 9900,
        "client_secret": "pi_1_secret_2",
        "currency": "usd",
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": {"order_id": "7"},
        "status": "requires_payment_method",
    }
    return stripe.PaymentIntent.construct_from(values | changes, "sk_test_")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("succeeded", PaymentOutcome.PAID),
        ("requires_action", PaymentOutcome.ACTION_REQUIRED),
        ("processing", PaymentOutcome.PROCESSING),
        ("requires_capture", PaymentOutcome.PROCESSING),
        ("canceled", PaymentOutcome.CANCELLED),
        ("requires_payment_method", PaymentOutcome.UNPAID),
        ("requires_confirmation", PaymentOutcome.UNPAID),
        ("a_status_of_tomorrow", PaymentOutcome.UNPAID),
    ],
)
def test_every_status_has_an_outcome(status: str, outcome: PaymentOutcome) -> None:
    result = payment_result(_intent(status=status))
    assert (result.outcome, result.order_id, result.failure) == (outcome, "7", None)


def test_an_error_is_told_only_while_the_payment_is_declined() -> None:
    error = {"type": "card_error", "code": "expired_card", "message": "Your card has expired."}
    declined = payment_result(_intent(last_payment_error=error))
    assert declined.outcome is PaymentOutcome.DECLINED
    assert declined.failure is not None
    assert declined.failure.code == "expired_card"
    assert payment_result(_intent(last_payment_error=error, status="canceled")).failure is None


def test_a_payment_made_elsewhere_belongs_to_no_order() -> None:
    assert payment_result(_intent(metadata={})).order_id is None


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        ("succeeded", "succeeded"),
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("failed", "failed"),
        ("canceled", "failed"),
        (None, "pending"),
    ],
)
def test_every_status_of_a_refund_is_one_of_three(status: str | None, ours: str) -> None:
    values = {"id": "re_1", "object": "refund", "amount": 100, "metadata": None, "payment_intent": None}
    refund = stripe.Refund.construct_from(values | {"status": status}, "sk_test_")
    assert (refund_result(refund).status, refund_result(refund).key) == (ours, None)


def test_amounts_become_cents_and_back() -> None:
    assert to_minor(Decimal("49.50")) == 4950
    assert to_minor(Decimal("0.07")) == 7
    assert str(from_minor(4950)) == "49.50"
    assert str(from_minor(0)) == "0.00"
    with pytest.raises(ValueError, match="two decimals"):
        to_minor(Decimal("1.005"))
