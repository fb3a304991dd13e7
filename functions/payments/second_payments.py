"""Money that is none of its order's: it goes back at once, whatever becomes of the order.

It should not happen: whoever changes providers has the first payment cancelled before, and what is asked for is the
order's price. Should a provider take money twice all the same, or another amount, nobody is to pay for nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from functions.payments.gateways.gateway import GatewayRefused, PaymentGateway, PaymentResult, RefundResult
from functions.payments.models import ZERO, Order, RefundStatus
from functions.payments.refund_outcomes import GATEWAY_STATUS
from functions.payments.refunding import NEVER_REFUNDABLE
from functions.payments.repository import orders
from functions.payments.repository import second_payments as repository
from shared import metrics, outbox
from shared.contracts import SecondPaymentFound
from shared.database import Sql
from shared.log import logger

log = logger("payments")

REASON = "The order was paid already"


@dataclass(frozen=True)
class Due:
    """A second payment whose money has still to go back."""

    provider: str
    intent_id: str
    order_id: UUID
    refund_key: UUID


def found(
    sql: Sql,
    order: Order,
    provider: str,
    payment: PaymentResult,
    at: datetime,
    *,
    happened: str = "PAID_TWICE",
) -> Order:
    """Record another payment of this (locked) order that is paid, and send the command to give it back."""
    if not repository.create(sql, provider, payment.intent_id, order.id, uuid4(), payment.amount, at):
        return order
    log.error("money that is not its order's", extra={"order_id": str(order.id), "provider": provider})
    metrics.count("payments", "SecondPayments")
    order = orders.save(sql, order, happened, at, provider=provider, amount=str(payment.amount))
    _send(sql, provider, payment.intent_id, order.id)
    return order


def due(sql: Sql, provider: str, intent_id: str) -> Due | None:
    """The second payment, unless its money went back already."""
    row = repository.of_payment(sql, provider, intent_id, RefundStatus.REQUESTED)
    return Due(**row) if row else None


def carry_out(gateway: PaymentGateway, due: Due) -> RefundStatus | None:
    """Have the provider give back all that is left of it; None while that is on its way. No transaction is open here.

    Raises:
        GatewayUnavailable, GatewayTimeout: try again, under the same key.
        GatewayRefused: somebody has to look at it.
    """
    payment = gateway.fetch(due.intent_id)
    left = payment.amount - payment.amount_refunded
    # A refund of ours that is on its way has been taken from it too, and may fail: it is asked for all the same.
    is_gone = left <= ZERO
    try:
        answer: RefundResult = gateway.refund(
            intent_id=due.intent_id,
            amount=payment.amount if is_gone else left,
            key=str(due.refund_key),
            reason=REASON,
        )
    except GatewayRefused as refused:
        if is_gone:
            return RefundStatus.SUCCEEDED  # somebody gave it back by hand
        if refused.provider_code not in NEVER_REFUNDABLE:
            raise
        return RefundStatus.FAILED
    status = GATEWAY_STATUS.get(answer.status)
    return RefundStatus.SUCCEEDED if is_gone and status is RefundStatus.FAILED else status


def record(sql: Sql, due: Due, status: RefundStatus | None, at: datetime) -> None:
    """Record what the provider made of it; safe to hear twice, in any order."""
    if status is None:
        return
    order = orders.lock(sql, due.order_id)
    assert order is not None
    amount: Decimal | None = repository.finish(sql, due.provider, due.intent_id, status, at)
    if amount is None:
        return
    if status is RefundStatus.FAILED:
        log.error("a second payment did not go back", extra={"order_id": str(order.id)})
        metrics.count("payments", "RefundsFailed")
    happened = "REFUNDED" if status is RefundStatus.SUCCEEDED else "REFUND_FAILED"
    orders.save(sql, order, f"SECOND_PAYMENT_{happened}", at, provider=due.provider, amount=str(amount))


def heard(sql: Sql, refund_key: UUID, answer: RefundResult, at: datetime) -> bool:
    """Record news of the refund that bears this name; False if it is none of a second payment's."""
    row = repository.of_refund(sql, refund_key)
    if row is not None:
        record(sql, Due(**row), GATEWAY_STATUS.get(answer.status), at)
    return row is not None


def came_back(sql: Sql, order: Order, provider: str, payment: PaymentResult, at: datetime) -> bool:
    """Record that a refund of it that somebody made by hand has failed; False if its money is not taken for gone."""
    row = repository.of_payment(sql, provider, payment.intent_id, RefundStatus.SUCCEEDED)
    if row is None or row["order_id"] != order.id or payment.amount_refunded >= payment.amount:
        return False
    record(sql, Due(**row), RefundStatus.FAILED, at)
    return True


def give_back_again(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Send the command of those whose money has not gone back for so long; how many. Each keeps its key."""
    found = repository.take_unfinished(sql, at, older_than_seconds, limit)
    for row in found:
        _send(sql, row["provider"], row["intent_id"], row["order_id"])
    if found:
        metrics.count("payments", "SecondPaymentsSentAgain", len(found))
    return len(found)


def _send(sql: Sql, provider: str, intent_id: str, order_id: UUID) -> None:
    command = SecondPaymentFound(provider=provider, intent_id=intent_id, order_id=order_id)
    outbox.send(sql, "payments-refunds", command, subject=order_id)
