"""Disputes: the buyer asks the bank, not us, for the money, and the bank decides.

While one is open the order's tickets are void and nothing of it is refunded. Lost, the money has gone back through the
bank; if that was a part of it, the order stays disputed with the rest. Won, it stays here, and buys seats again if
there are any. An inquiry is only a question, and changes nothing.

A payment may be disputed more than once (https://docs.stripe.com/disputes/how-disputes-work): each dispute is followed
by itself, and only moves forward, however often and late it is told.
"""

from dataclasses import replace
from datetime import datetime

from functions.payments import fulfilment, late_money, refund_outcomes
from functions.payments.gateways.gateway import DisputeResult
from functions.payments.models import ZERO, Dispute, Order, PaymentStatus
from functions.payments.repository import disputes, orders
from shared.database import Sql

_DISPUTABLE = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)
_STATES = {"open": Dispute.OPEN, "won": Dispute.WON, "lost": Dispute.LOST}


def record(sql: Sql, order: Order, dispute: DisputeResult, at: datetime) -> None:
    """Apply the dispute's state to the locked order."""
    state = _STATES.get(dispute.status)
    if state is None or order.captured_amount == ZERO:
        return
    is_news = disputes.advance(sql, order.id, dispute.dispute_id, state, at)
    match state:
        case Dispute.OPEN if disputes.is_open(sql, order.id, dispute.dispute_id):
            _open(sql, order, at)
        case Dispute.WON if is_news:
            _won(sql, order, at)
        case Dispute.LOST if is_news:
            _lost(sql, order, dispute, at)


def _open(sql: Sql, order: Order, at: datetime) -> None:
    """Also one that was told before the order had our money."""
    if order.dispute in (None, Dispute.WON) and _has_our_money(order):
        order = _save(sql, order, Dispute.OPEN, at, status=PaymentStatus.DISPUTED)
        fulfilment.tell_of_dispute(sql, order)


def _won(sql: Sql, order: Order, at: datetime) -> None:
    """The money is ours, unless another dispute is about it yet, or was lost: then its tickets stay void."""
    if order.dispute is Dispute.LOST or disputes.any_open(sql, order.id):
        return
    order = _save(sql, order, Dispute.WON, at)
    if order.wants_seats and order.refundable_amount > ZERO:
        late_money.ask_for_seats(sql, order)


def _lost(sql: Sql, order: Order, dispute: DisputeResult, at: datetime) -> None:
    tickets_are_valid = order.dispute in (None, Dispute.WON)
    order = replace(order, dispute=Dispute.LOST)
    amount = min(dispute.amount, order.refundable_amount)
    if amount > ZERO:
        order = refund_outcomes.taken_by_bank(sql, order, amount, at)
    else:
        order = orders.save(sql, order, "DISPUTE_LOST", at)
    if tickets_are_valid:
        fulfilment.tell_of_dispute(sql, order)


def _has_our_money(order: Order) -> bool:
    return order.payment_status in _DISPUTABLE or order.wants_seats


def _save(
    sql: Sql, order: Order, dispute: Dispute, at: datetime, *, status: PaymentStatus | None = None
) -> Order:
    changed = replace(order, dispute=dispute, payment_status=status or order.payment_status)
    return orders.save(sql, changed, "DISPUTED" if dispute is Dispute.OPEN else f"DISPUTE_{dispute}", at)
