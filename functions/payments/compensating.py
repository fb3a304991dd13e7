"""Paid, but no tickets came of it: the money goes back before the seats do."""

from datetime import datetime
from uuid import UUID

from functions.payments import cancelling, refunding
from functions.payments.models import ZERO, Order, PaymentStatus, Refund, RefundStatus
from functions.payments.repository import orders, refunds
from shared.database import Sql

CAUSE = "COMPENSATION"


class NotDecided(Exception):
    """The saga gives back what was never recorded as paid: its payment has to be cancelled or found first."""


def has_begun(sql: Sql, order_id: UUID) -> bool:
    """Whether the order's money goes back, or went, because no tickets came of it: it gets none any more."""
    return any(
        refund.cause == CAUSE and refund.status is not RefundStatus.FAILED
        for refund in refunds.of_order(sql, order_id)
    )


def begin(sql: Sql, order_id: UUID, reason: str, at: datetime) -> tuple[Order, Refund] | None:
    """Record that all of the order's money goes back; None if none is left (or the order was free).

    Raises:
        NotDecided: the order is neither paid nor over.
    """
    order = orders.lock(sql, order_id)
    if order is None:
        return None
    if order.is_undecided:
        raise NotDecided(f"order {order_id}")
    if order.payment_status is PaymentStatus.PAID and order.captured_amount == ZERO:
        cancelling.end(sql, order, reason, at)
        return None
    if order.refundable_amount > ZERO and order.payment_status is not PaymentStatus.DISPUTED:
        refunding.ask(sql, order, order.refundable_amount, at, cause=CAUSE, reason=reason)
    found = orders.get(sql, order_id)
    assert found is not None
    waiting = (refund for refund in refunds.of_order(sql, order_id) if refund.cause == CAUSE)
    return next(((found, refund) for refund in waiting if refund.status is RefundStatus.REQUESTED), None)
