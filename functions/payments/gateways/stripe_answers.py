"""Stripe's objects in our words: minor units become decimals, statuses become outcomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from functions.payments.gateways.gateway import (
    DisputeResult,
    DisputeStatus,
    Failure,
    PaymentOutcome,
    PaymentResult,
    RefundResult,
    RefundStatus,
    Takings,
)

if TYPE_CHECKING:
    import stripe

# Names our refund in the metadata of Stripe's.
REFUND_KEY = "refund_key"

_OUTCOMES = {
    "succeeded": PaymentOutcome.PAID,
    "requires_action": PaymentOutcome.ACTION_REQUIRED,
    "processing": PaymentOutcome.PROCESSING,
    "requires_capture": PaymentOutcome.PROCESSING,
    "canceled": PaymentOutcome.CANCELLED,
}

_REFUND_STATUSES: dict[str | None, RefundStatus] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}

# "Don't report more detailed information to your customer": https://docs.stripe.com/declines/codes
_NOT_FOR_THE_BUYER = {"fraudulent", "lost_card", "merchant_blacklist", "stolen_card"}
_GENERIC = Failure("generic_decline", "Your card was declined.")
_UNUSABLE = Failure("invalid_payment_method", "This payment method cannot be used. Try another one.")


def to_minor(amount: Decimal) -> int:
    """Cents for an amount of a currency with two decimals.

    Raises:
        ValueError: a fraction of a cent.
    """
    minor = amount * 100
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} has more than two decimals")
    return int(minor)


def from_minor(minor: int) -> Decimal:
    """The amount, with two decimals."""
    return Decimal(minor).scaleb(-2)


def payment_result(intent: stripe.PaymentIntent) -> PaymentResult:
    """An intent's state. `disputed` and `amount_refunded` are known when its latest charge was expanded."""
    charge: Any = intent.latest_charge
    expanded = charge is not None and not isinstance(charge, str)
    failure = _failure(intent.last_payment_error)
    unpaid = PaymentOutcome.DECLINED if failure else PaymentOutcome.UNPAID
    outcome = _OUTCOMES.get(intent.status, unpaid)
    return PaymentResult(
        outcome=outcome,
        intent_id=intent.id,
        client_secret=intent.client_secret,
        charge_id=charge.id if expanded else charge,
        failure=failure if outcome is PaymentOutcome.DECLINED else None,
        amount=from_minor(intent.amount),
        amount_refunded=from_minor(charge.amount_refunded if expanded else 0),
        currency=intent.currency.upper(),
        order_id=_metadata(intent).get("order_id"),
        disputed=bool(expanded and charge.disputed),
    )


def declined(now: PaymentResult, refusal: stripe.CardError | stripe.InvalidRequestError) -> PaymentResult:
    """The payment after an attempt that was refused with this error."""
    error: Any = refusal.error
    failure = _failure(error) if getattr(error, "type", None) == "card_error" else _UNUSABLE
    return replace(now, outcome=PaymentOutcome.DECLINED, failure=failure)


def refund_result(refund: stripe.Refund) -> RefundResult:
    """A refund's state."""
    intent: Any = refund.payment_intent
    return RefundResult(
        refund_id=refund.id,
        intent_id=intent if intent is None or isinstance(intent, str) else intent.id,
        status=_REFUND_STATUSES.get(refund.status, "pending"),
        amount=from_minor(refund.amount),
        key=_metadata(refund).get(REFUND_KEY),
        failure=getattr(refund, "failure_reason", None),
    )


def dispute_result(dispute: stripe.Dispute) -> DisputeResult:
    """A dispute's state: https://docs.stripe.com/api/disputes/object. What is neither won nor lost is open."""
    intent: Any = dispute.payment_intent
    quiet = dispute.status.startswith("warning_") or dispute.status == "prevented"
    decided: dict[str, DisputeStatus] = {"won": "won", "lost": "lost"}
    return DisputeResult(
        dispute_id=dispute.id,
        intent_id=intent if intent is None or isinstance(intent, str) else intent.id,
        status="inquiry" if quiet else decided.get(dispute.status, "open"),
        amount=from_minor(dispute.amount),
    )


def takings_result(
    intent: stripe.PaymentIntent, refunds: list[stripe.Refund], disputes: list[stripe.Dispute]
) -> Takings:
    """An intent's money; its latest charge is expanded. Of a dispute Stripe tells when it began, not when it ended."""
    charge: Any = intent.latest_charge
    lost = sum(dispute.amount for dispute in disputes if dispute.status == "lost")
    times = [intent.created, *(item.created for item in refunds), *(item.created for item in disputes)]
    return Takings(
        intent_id=intent.id,
        order_id=_metadata(intent).get("order_id"),
        captured=from_minor(intent.amount_received),
        refunded=from_minor(charge.amount_refunded if charge is not None else 0),
        lost=from_minor(lost),
        currency=intent.currency.upper(),
        changed_at=datetime.fromtimestamp(max([*times, charge.created if charge is not None else 0]), UTC),
    )


def _failure(error: Any) -> Failure | None:
    """Stripe's card errors may be shown to the buyer, but for those that would tell a thief too much."""
    if error is None:
        return None
    code = getattr(error, "decline_code", None) or getattr(error, "code", None)
    if code is None or code in _NOT_FOR_THE_BUYER:
        return _GENERIC
    return Failure(code, getattr(error, "message", None) or _GENERIC.message)


def _metadata(item: Any) -> dict[str, str]:
    return dict(item.metadata.to_dict()) if item.metadata else {}
