"""Disputes: the buyer asks the bank, not us, for the money, and the bank decides.

While one is open the order's tickets are void and nothing of it is refunded. Lost, the money has gone back through the
bank; if that was a part of it, the order stays disputed with the rest. Won, it stays here, and buys seats again if
there are any. An inquiry is only a question, and changes nothing.
"""

from dataclasses import replace
from datetime import datetime

from functions.payments import fulfilment, late_money, refunding
from functions.payments.gateways.gateway import DisputeResult
from functions.payments.models import ZERO, Dispute, Order, PaymentStatus
from functions.payments.repository import orders
from shared.database import Sql

_DISPUTABLE = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)


def record(sql: Sql, order: Order, dispute: DisputeResult, at: datetime) -> None:
    """Apply the dispute's state to the locked order. It only moves forward, however often and late it is told."""
    if order.dispute in (Dispute.WON, Dispute.LOST) or order.captured_amount == ZERO:
        return
    match dispute.status:
        case "open" if order.dispute is None and _has_our_money(order):
            order = _save(sql, order, Dispute.OPEN, at, status=PaymentStatus.DISPUTED)
            fulfilment.tell_of_dispute(sql, order)
        case "won":
            order = _save(sql, order, Dispute.WON, at)
            if order.wants_seats and order.refundable_amount > ZERO:
                late_money.ask_for_seats(sql, order)
        case "lost":
            _lost(sql, order, dispute, at)


def _lost(sql: Sql, order: Order, dispute: DisputeResult, at: datetime) -> None:
    never_seen_open = order.dispute is None
    order = replace(order, dispute=Dispute.LOST)
    amount = min(dispute.amount, order.refundable_amount)
    if amount > ZERO:
        order = refunding.taken_by_bank(sql, order, amount, at)
    else:
        order = orders.save(sql, order, "DISPUTE_LOST", at)
    if never_seen_open:
        fulfilment.tell_of_dispute(sql, order)


def _has_our_money(order: Order) -> bool:
    return order.payment_status in _DISPUTABLE or order.wants_seats


def _save(
    sql: Sql, order: Order, dispute: Dispute, at: datetime, *, status: PaymentStatus | None = None
) -> Order:
    changed = replace(order, dispute=dispute, payment_status=status or order.payment_status)
    return orders.save(sql, changed, "DISPUTED" if dispute is Dispute.OPEN else f"DISPUTE_{dispute}", at)
