"""The event of an order was cancelled: what is left of its money goes back."""

from datetime import datetime
from uuid import UUID

from functions.payments import cancelling, late_money, owing, refunding
from functions.payments.models import ZERO, PaymentStatus
from functions.payments.repository import orders
from shared.database import Sql

CAUSE, REASON = owing.CALLED_OFF, owing.CALLED_OFF_REASON


def give_back(sql: Sql, order_id: UUID, ticket_ids: list[UUID], at: datetime) -> None:
    """Have what was paid and is not given back, nor about to be, refunded; a free order is cancelled.

    A disputed order is left alone: the bank decides about its money. Whoever else refunds the same order at this
    moment has set money aside before, or finds nothing left. Money that waits for seats has got void ones: the news
    that it had got any are still on their way.
    """
    order = orders.lock(sql, order_id)
    if order is not None and order.wants_seats:
        late_money.refused(sql, order_id, CAUSE, at)
        return
    if order is None or order.payment_status not in (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED):
        return
    if order.captured_amount == ZERO:
        cancelling.end(sql, order, CAUSE, at)
    elif order.refundable_amount > ZERO:
        refunding.ask(
            sql, order, order.refundable_amount, at, cause=CAUSE, reason=REASON, ticket_ids=ticket_ids
        )
