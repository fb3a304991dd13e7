"""Ending an order that was not paid in time.

The payment is cancelled at the provider before any seat is given back. The provider decides a race with the buyer's
money: either it cancels, and nothing can be charged any more, or it answers that the money is there, and the order is
bought.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from functions.payments import charging, settling
from functions.payments.gateways.gateway import CancelResult, PaymentGateway
from functions.payments.models import BOUGHT, AttemptStatus, Order, PaymentStatus
from functions.payments.repository import attempts, orders
from functions.payments.saga_models import Cancelled
from shared import outbox
from shared.contracts import OrderCancelled
from shared.database import Sql

NOT_PAID_IN_TIME = "NOT_PAID_IN_TIME"


@dataclass(frozen=True)
class Due:
    """An order whose payment has to be cancelled at the provider, if anything was ever asked of it there."""

    order: Order
    asked_provider: bool


def begin(sql: Sql, order_id: UUID, at: datetime) -> Due | Cancelled:
    """Let nothing more be charged for this order, and find out whether it is decided already."""
    order = orders.lock(sql, order_id)
    if order is None:
        if orders.refuse_start(sql, order_id, at):
            return Cancelled(outcome="cancelled")
        order = orders.lock(sql, order_id)  # recorded while we looked
        assert order is not None
    if not order.is_undecided:
        return Cancelled(outcome="paid" if order.payment_status in BOUGHT else "cancelled")
    if order.cancel_requested_at is None:
        order = orders.save(sql, replace(order, cancel_requested_at=at), "CANCEL_REQUESTED", at)
    return Due(order, attempts.were_made(sql, order.id, order.payment_method))


def carry_out(gateway: PaymentGateway, due: Due) -> CancelResult | None:
    """Cancel at the provider; None if there is nothing to cancel. No transaction is open here.

    An attempt that died, or is still on its way, before its payment's id was recorded is met by opening that
    same payment: once it is cancelled, the attempt's confirmation is refused.

    Raises:
        GatewayUnavailable, GatewayTimeout: try again.
    """
    if not due.asked_provider:
        return None
    order = due.order
    intent_id = order.payment_gateway_transaction_id
    if intent_id is None:
        opened = gateway.open(
            order_id=str(order.id),
            amount=order.total_amount,
            currency=order.currency,
            payment_number=order.payment_number,
            metadata=charging.metadata_of(order),
        )
        if opened is None:
            return None
        intent_id = opened.intent_id
    return gateway.cancel(intent_id)


def record(sql: Sql, order_id: UUID, answer: CancelResult | None, at: datetime) -> Cancelled:
    """Record the provider's answer: the order is cancelled, or it is paid after all."""
    order = orders.lock(sql, order_id)
    assert order is not None
    if answer is not None and answer.outcome == "paid":
        order = settling.apply(sql, order, answer.payment, at)
    if order.is_undecided:
        order = end(sql, order, NOT_PAID_IN_TIME, at)
    return Cancelled(outcome="paid" if order.payment_status in BOUGHT else "cancelled")


def end(sql: Sql, order: Order, reason: str, at: datetime) -> Order:
    """The order is over, and nothing is owed to the buyer."""
    attempts.settle(sql, order.id, AttemptStatus.CANCELLED, at)
    order = orders.save(
        sql,
        replace(order, payment_status=PaymentStatus.CANCELLED, client_secret=None),
        "CANCELLED",
        at,
        reason=reason,
    )
    cancelled = OrderCancelled(
        order_id=order.id, user_id=order.user_id, event_id=order.event_id, reason=reason
    )
    outbox.publish(sql, cancelled, subject=order.id, version=order.version)
    return order
