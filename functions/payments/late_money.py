"""Money whose seats are gone: it buys them again if there are any, and goes back if not. The tickets service decides.

So it is with money that came after its order had ended, and with money that a won dispute leaves here.
"""

from datetime import datetime
from uuid import UUID

from functions.payments import refunding
from functions.payments.models import ZERO, Order, PaymentStatus
from functions.payments.repository import orders
from shared import metrics, outbox
from shared.contracts import LatePaymentReceived
from shared.database import Sql

CAUSE = "LATE_PAYMENT"


def ask_for_seats(sql: Sql, order: Order) -> None:
    """Ask tickets for the order's seats; the answer is `order_issued` or `late_payment_refused`."""
    outbox.publish(sql, LatePaymentReceived(order_id=order.id), subject=order.id, version=order.version)


def refused(sql: Sql, order_id: UUID, reason: str, at: datetime) -> None:
    """There are no seats for it: what is left of the money goes back. Safe to hear twice.

    Also of an order that older news of its tickets has made a paid one meanwhile, and newer ones void.
    """
    order = orders.lock(sql, order_id)
    if order is None or order.refundable_amount <= ZERO:
        return
    has_void_tickets = order.payment_status is not PaymentStatus.DISPUTED and order.is_void
    if not order.wants_seats and not has_void_tickets:
        return
    refunding.ask(
        sql,
        order,
        order.refundable_amount,
        at,
        cause=CAUSE,
        reason=f"Paid, but there are no seats for it any more ({reason})",
    )


def ask_again(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Ask again for orders that got no answer for so long; how many."""
    found = orders.take_wanting_seats(sql, at, older_than_seconds, limit)
    for order_id in found:
        order = orders.get(sql, order_id)
        assert order is not None
        ask_for_seats(sql, order)
    if found:
        metrics.count("payments", "LateMoneyAskedAgain", len(found))
    return len(found)
