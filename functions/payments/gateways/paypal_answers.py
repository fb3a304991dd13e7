"""PayPal's objects in our words: https://developer.paypal.com/docs/api/orders/v2/ and …/payments/v2/."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from functions.payments.gateways.gateway import (
    DisputeResult,
    DisputeStatus,
    Failure,
    PaymentOutcome,
    PaymentResult,
    RefundResult,
    RefundStatus,
)

Json = dict[str, Any]

CAPTURE = "CAPTURE"
ZERO = Decimal("0.00")
DECLINED = Failure("paypal_declined", "PayPal declined the payment. Try another payment method.")
CHOOSE_AGAIN = Failure(
    "instrument_declined",
    "PayPal could not charge the card or account you chose. Choose another one at PayPal.",
)

# https://developer.paypal.com/docs/api/orders/v2/#definition-capture_status
_CAPTURED = {
    "COMPLETED": PaymentOutcome.PAID,
    "PARTIALLY_REFUNDED": PaymentOutcome.PAID,
    "REFUNDED": PaymentOutcome.PAID,
    "PENDING": PaymentOutcome.PROCESSING,
    "DECLINED": PaymentOutcome.DECLINED,
    "FAILED": PaymentOutcome.DECLINED,
}
# Otherwise the money is ours, or PayPal pays both.
_LOST = ("RESOLVED_BUYER_FAVOUR", "ACCEPTED")
_REFUND_STATUSES: dict[str, RefundStatus] = {
    "COMPLETED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "failed",
}
# Of these captures we have the money, or had it.
CAPTURED = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
_GIVEN_BACK = ("COMPLETED", "PENDING")


def payment_result(order: Json, *, disputed: bool = False) -> PaymentResult:
    """An order's state. One whose intent is no capture was cancelled by us: see `PayPalGateway.cancel`."""
    unit = order["purchase_units"][0]
    capture = capture_of(order)
    outcome = _outcome(order, capture)
    amount = unit["amount"]
    return PaymentResult(
        outcome=outcome,
        intent_id=order["id"],
        client_secret=None,
        charge_id=capture["id"] if capture else None,
        failure=DECLINED if outcome is PaymentOutcome.DECLINED else None,
        amount=Decimal(amount["value"]),
        amount_refunded=amount_refunded(order, capture),
        currency=amount["currency_code"],
        order_id=unit.get("custom_id"),
        disputed=disputed,
        approval_url=_link(order, "approve", "payer-action")
        if outcome is PaymentOutcome.ACTION_REQUIRED
        else None,
    )


def choose_again(now: PaymentResult, url: str | None) -> PaymentResult:
    """The payment after PayPal refused what the buyer had chosen: the buyer is to choose again, at this address."""
    failure = CHOOSE_AGAIN if url else DECLINED
    outcome = PaymentOutcome.ACTION_REQUIRED if url else PaymentOutcome.DECLINED
    return replace(now, outcome=outcome, failure=failure, approval_url=url)


def declined(now: PaymentResult) -> PaymentResult:
    """The payment after PayPal refused it for reasons that another choice there does not mend."""
    return replace(now, outcome=PaymentOutcome.DECLINED, failure=DECLINED, approval_url=None)


def vanished(intent_id: str) -> PaymentResult:
    """A payment that PayPal has forgotten, as it does with orders that nobody approved: nothing can come of it."""
    return PaymentResult(
        PaymentOutcome.CANCELLED, intent_id, None, None, None, ZERO, ZERO, "", None, disputed=False
    )


def capture_of(order: Json) -> Json | None:
    """The order's capture: one at most, for only we capture, and PayPal refuses a second one."""
    captures: list[Json] = order["purchase_units"][0].get("payments", {}).get("captures") or []
    return captures[-1] if captures else None


def refunds_of(order: Json) -> list[Json]:
    """The refunds of the order's capture."""
    refunds: list[Json] = order["purchase_units"][0].get("payments", {}).get("refunds") or []
    return refunds


def refund_result(refund: Json, intent_id: str | None) -> RefundResult:
    """A refund's state."""
    return RefundResult(
        refund_id=refund["id"],
        intent_id=intent_id,
        status=_REFUND_STATUSES.get(refund["status"], "pending"),
        amount=Decimal(refund["amount"]["value"]),
        key=refund.get("custom_id"),
    )


def charge_named_in(item: Json) -> str | None:
    """The capture that a refund, or a dispute, is about."""
    transactions = item.get("disputed_transactions")
    if transactions:
        id_ = transactions[0].get("seller_transaction_id")
        return str(id_) if id_ else None
    return _end_of_link(item, "/captures/")


def order_named_in(item: Json) -> str | None:
    """The PayPal order that a capture belongs to."""
    id_ = item.get("supplementary_data", {}).get("related_ids", {}).get("order_id")
    return str(id_) if id_ else _end_of_link(item, "/orders/")


def dispute_result(dispute: Json) -> DisputeResult:
    """A dispute's state; it names the capture, not the order, so `intent_id` is None.
    https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get
    """
    outcome = (dispute.get("dispute_outcome") or {}).get("outcome_code")
    status: DisputeStatus = "open"
    if dispute.get("status") == "RESOLVED":
        status = "lost" if outcome in _LOST else "won"
    elif dispute.get("dispute_life_cycle_stage") == "INQUIRY":
        status = "inquiry"
    return DisputeResult(
        dispute_id=dispute["dispute_id"],
        intent_id=None,
        status=status,
        amount=_taken(dispute) if status == "lost" else Decimal(dispute["dispute_amount"]["value"]),
    )


def _taken(dispute: Json) -> Decimal:
    """What a lost dispute cost: both sides may have agreed on a part.
    https://developer.paypal.com/api/customer-disputes/v1/definitions/dispute_outcome
    """
    disputed, taken = dispute["dispute_amount"], dispute["dispute_outcome"].get("amount_refunded")
    is_told = taken is not None and taken["currency_code"] == disputed["currency_code"]
    return Decimal((taken if is_told else disputed)["value"])


def is_lost_or_open(dispute: Json) -> bool:
    """Whether a dispute has, or may yet, cost us the money."""
    outcome = dispute.get("dispute_outcome") or {}
    return dispute.get("status") != "RESOLVED" or outcome.get("outcome_code") in _LOST


def _outcome(order: Json, capture: Json | None) -> PaymentOutcome:
    if capture is not None:
        return _CAPTURED.get(capture["status"], PaymentOutcome.PROCESSING)
    if order.get("intent") != CAPTURE or order["status"] == "VOIDED":
        return PaymentOutcome.CANCELLED
    return PaymentOutcome.APPROVED if order["status"] == "APPROVED" else PaymentOutcome.ACTION_REQUIRED


def amount_refunded(order: Json, capture: Json | None) -> Decimal:
    """What was given back of the order's capture, or is about to be."""
    given_back = [refund for refund in refunds_of(order) if refund.get("status") in _GIVEN_BACK]
    total = sum((Decimal(refund["amount"]["value"]) for refund in given_back), ZERO)
    if capture is not None and capture["status"] == "REFUNDED":
        return max(total, Decimal(capture["amount"]["value"]))
    return total


def _link(item: Json, *relations: str) -> str | None:
    links = item.get("links") or []
    return next((link["href"] for link in links if link.get("rel") in relations), None)


def _end_of_link(item: Json, part: str) -> str | None:
    up = _link(item, "up") or ""
    return up.rpartition("/")[2] or None if part in up else None
