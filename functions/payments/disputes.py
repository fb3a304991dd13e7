"""Disputes: the buyer asks the bank, not us, for the money, and the bank decides.

While one is open the order's tickets are void and nothing of it is refunded. Lost, the money has gone back through the
bank; if that was a part of it, the order stays disputed with the rest. Won, it stays here, and buys seats again if
there are any. An inquiry is only a question, and changes nothing.

A payment may be disputed more than once (https://docs.stripe.com/disputes/how-disputes-work): each dispute is followed
by itself, and only moves forward, however often and late it is told. A bank takes all that was disputed; when our books
had less than that left, since a refund was on its way, the rest is taken from what comes back of it.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from functions.payments import late_money, refunding
from functions.payments.gateways.gateway import DisputeResult
from functions.payments.models import ZERO, Dispute, Order, PaymentStatus
from functions.payments.repository import disputes, orders, refunds
from shared import outbox
from shared.contracts import OrderDisputed
from shared.database import Sql

_DISPUTABLE = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)
_STATES = {"open": Dispute.OPEN, "won": Dispute.WON, "lost": Dispute.LOST}
_BY_BANK = "The buyer's bank took it back"


def record(sql: Sql, order: Order, dispute: DisputeResult, at: datetime) -> None:
    """Apply the dispute's state to the locked order."""
    state = _STATES.get(dispute.status)
    if state is None or order.captured_amount == ZERO:
        return
    is_news = disputes.advance(sql, order.id, dispute.dispute_id, state, dispute.amount, at)
    match state:
        case Dispute.OPEN if disputes.is_open(sql, order.id, dispute.dispute_id):
            _open(sql, order, at)
        case Dispute.WON if is_news:
            _won(sql, order, at)
        case Dispute.LOST if is_news:
            _lost(sql, order, at)


def money_came_back(sql: Sql, order: Order, at: datetime) -> None:
    """A refund of the locked order failed: what is disputed is disputed, and what a bank took is not here."""
    if order.dispute is Dispute.LOST and _not_taken_yet(sql, order) > ZERO:
        _take(sql, order, at)
    elif disputes.any_open(sql, order.id):
        _open(sql, order, at)


def tell(sql: Sql, order: Order) -> None:
    """Have the tickets service void the tickets of a disputed order."""
    message = OrderDisputed(order_id=order.id, user_id=order.user_id, event_id=order.event_id)
    outbox.publish(sql, message, subject=order.id, version=order.version)


def _open(sql: Sql, order: Order, at: datetime) -> None:
    """Also one that was told before the order had our money, or while that was on its way back."""
    if order.dispute in (None, Dispute.WON) and _has_our_money(order):
        order = _save(sql, order, Dispute.OPEN, at, status=PaymentStatus.DISPUTED)
        tell(sql, order)


def _won(sql: Sql, order: Order, at: datetime) -> None:
    """The money is ours, unless another dispute is about it yet, or was lost: then its tickets stay void."""
    if order.dispute is Dispute.LOST or disputes.any_open(sql, order.id):
        return
    order = _save(sql, order, Dispute.WON, at)
    if order.wants_seats and order.refundable_amount > ZERO:
        late_money.ask_for_seats(sql, order)


def _lost(sql: Sql, order: Order, at: datetime) -> None:
    tickets_are_valid = order.dispute in (None, Dispute.WON)
    order = _take(sql, replace(order, dispute=Dispute.LOST), at)
    if tickets_are_valid:
        tell(sql, order)


def _not_taken_yet(sql: Sql, order: Order) -> Decimal:
    """As much of what was lost as the order has left."""
    lost = disputes.lost_amount(sql, order.id) - refunds.taken_by_bank(sql, order.id)
    return min(lost, order.refundable_amount)


def _take(sql: Sql, order: Order, at: datetime) -> Order:
    """The money went back through the bank, and nobody tells the buyer but the bank.

    An order that keeps some of its money stays disputed: its tickets are void, so it is not one partly refunded.
    """
    amount, refund = max(_not_taken_yet(sql, order), ZERO), None
    if amount > ZERO:
        ticket_ids = refunding.unrefunded(order)
        refund = refunds.create_made(
            sql, order.id, amount, _BY_BANK, at, cause="DISPUTE_LOST", ticket_ids=ticket_ids
        )
    refunded = order.refunded_amount + amount
    is_all = refunded == order.captured_amount
    status = PaymentStatus.REFUNDED if is_all else PaymentStatus.DISPUTED
    changed = replace(order, refunded_amount=refunded, payment_status=status)
    facts = {"refundId": str(refund.id), "amount": str(amount)} if refund else {}
    order = orders.save(sql, changed, "DISPUTE_LOST", at, **facts)
    if refund is not None:
        refunds.audit(sql, order, refund, None, at)
    return order


def _has_our_money(order: Order) -> bool:
    return order.payment_status in _DISPUTABLE or order.wants_seats


def _save(
    sql: Sql, order: Order, dispute: Dispute, at: datetime, *, status: PaymentStatus | None = None
) -> Order:
    changed = replace(order, dispute=dispute, payment_status=status or order.payment_status)
    return orders.save(sql, changed, "DISPUTED" if dispute is Dispute.OPEN else f"DISPUTE_{dispute}", at)
