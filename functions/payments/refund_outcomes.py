"""What became of refunds: of those we asked the provider for, and of money that went back without our asking.

A dashboard of the provider's gives some back, or the buyer's bank takes it. However it went, an order's books say so.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.payments import disputes, owing, refunding
from functions.payments.gateways.gateway import RefundResult
from functions.payments.models import ZERO, Dispute, Order, PaymentStatus, Refund, RefundStatus, Ticket
from functions.payments.repository import orders, refunds
from shared import business, metrics, outbox
from shared.contracts import OrderRefunded
from shared.database import Sql
from shared.log import logger

log = logger("payments")

GATEWAY_STATUS = {"succeeded": RefundStatus.SUCCEEDED, "failed": RefundStatus.FAILED}
PROVIDER = "PROVIDER"  # the cause of a refund that somebody made in the dashboard
_BY_PROVIDER = "Refunded at the payment provider"


def record(sql: Sql, refund_id: UUID, answer: RefundResult | refunding.NotRefundable, at: datetime) -> None:
    """Record what the provider made of a refund; safe to hear twice, in any order."""
    refund = refunds.get(sql, refund_id)
    order = orders.lock(sql, refund.order_id) if refund else None
    refund = refunds.get(sql, refund_id)  # again, now that nobody else can be deciding it
    assert refund is not None
    assert order is not None
    if isinstance(answer, refunding.NotRefundable):
        _refused(sql, order, refund, answer, at)
        return
    status = GATEWAY_STATUS.get(answer.status)
    if status is None:
        refunds.note_gateway_id(sql, refund.id, answer.refund_id, at)
    elif refunds.finish(sql, refund.id, status, at, gateway_refund_id=answer.refund_id or None):
        if status is RefundStatus.SUCCEEDED:
            _succeeded(sql, order, refund, answer.refund_id, at)
        else:
            metrics.count("payments", "RefundsFailed")  # somebody has to give the money back in another way
            _did_not_succeed(sql, order, refund, answer.failure, at)


def found_at_provider(sql: Sql, order: Order, total_refunded: Decimal, at: datetime) -> None:
    """Take over money given back behind our back, in the provider's dashboard.

    While a refund of ours is on its way the provider's total may include it, so nothing is concluded then: the order is
    marked, and its provider asked again when none is (`unheard`); what was to go back for good does so then. What a
    bank took in a dispute is no refund, and not in the total.
    """
    missing = total_refunded - (order.refunded_amount - refunds.taken_by_bank(sql, order.id))
    is_unclear = order.refunding_amount > ZERO and (missing > ZERO or order.refunds_unclear)
    if is_unclear != order.refunds_unclear:
        orders.mark_refunds(sql, order.id, unclear=is_unclear)
    if is_unclear:
        return
    amount = min(missing, order.refundable_amount)
    if amount > ZERO:
        _take_over(sql, order, amount, at)
    if order.refunds_unclear:
        _ask_for_the_rest(sql, order.id, at)


def _take_over(sql: Sql, order: Order, amount: Decimal, at: datetime) -> None:
    """A part of it is of no ticket in particular, as one that an organizer asks for by its amount."""
    ticket_ids = refunding.unrefunded(order) if amount == order.refundable_amount else []
    refund = refunds.create_made(
        sql, order.id, amount, _BY_PROVIDER, at, cause=PROVIDER, ticket_ids=ticket_ids
    )
    aside = replace(order, refunding_amount=order.refunding_amount + amount)
    _succeeded(sql, aside, refund, None, at)


def tell_again(sql: Sql, order: Order) -> None:
    """Have the tickets service void all tickets of an order whose money went back before it had any.

    Who has heard of the refund takes it as heard.
    """
    gone = [refund for refund in refunds.of_order(sql, order.id) if refund.status is RefundStatus.SUCCEEDED]
    if gone:
        _tell(sql, order, gone[-1], fully=True)


def _refused(sql: Sql, order: Order, refund: Refund, answer: refunding.NotRefundable, at: datetime) -> None:
    """What the provider gave back behind our back, and therefore refuses to give back twice, is taken over."""
    if refunds.finish(sql, refund.id, RefundStatus.FAILED, at, gateway_refund_id=None):
        _did_not_succeed(sql, order, refund, answer.code, at)
        found = orders.get(sql, order.id)
        assert found is not None
        if found.refunds_unclear and _is_ahead(sql, found, answer.amount_refunded):
            return  # a refund of the dashboard's failed meanwhile: who asks next (`unheard`) finds which
        found_at_provider(sql, found, answer.amount_refunded, at)
        if answer.code not in refunding.NEVER_REFUNDABLE and not _ask_for_the_rest(sql, order.id, at):
            # Its organizer has to ask for what is left, or somebody.
            metrics.count("payments", "RefundsFailed")


def _is_ahead(sql: Sql, order: Order, total_refunded: Decimal) -> bool:
    """Whether more has gone back by our books than by the provider's."""
    return order.refunded_amount - refunds.taken_by_bank(sql, order.id) > total_refunded


def _ask_for_the_rest(sql: Sql, order_id: UUID, at: datetime) -> bool:
    """All of it was to go back and a part went elsewhere: as much as is left goes back now. False if somebody else has
    to ask for it.
    """
    order = orders.get(sql, order_id)
    assert order is not None
    if order.refundable_amount <= ZERO or order.refunds_unclear:
        return True
    owed = owing.why(sql, order_id)
    if owed is None or order.payment_status is PaymentStatus.DISPUTED:
        return False
    cause, reason = owed
    named = refunding.named(sql, order_id)
    ticket_ids = [id_ for ticket in order.tickets or [] if (id_ := UUID(ticket["id"])) not in named]
    refunding.ask(sql, order, order.refundable_amount, at, cause=cause, reason=reason, ticket_ids=ticket_ids)
    return True


def _succeeded(sql: Sql, order: Order, refund: Refund, gateway_refund_id: str | None, at: datetime) -> None:
    refunded = order.refunded_amount + refund.amount
    fully = refunded == order.captured_amount
    order = orders.save(
        sql,
        replace(
            order,
            refunding_amount=order.refunding_amount - refund.amount,
            refunded_amount=refunded,
            payment_status=_status_after(order, refunded),
            tickets=_void(order.tickets, None if fully else refund.ticket_ids),
        ),
        "REFUNDED",
        at,
        refundId=str(refund.id),
        amount=str(refund.amount),
    )
    business.count(sql, "payments", "Refunds", order.event_id)
    refunds.audit(sql, order, refund, gateway_refund_id, at)
    _tell(sql, order, refund, fully=fully)


def _did_not_succeed(sql: Sql, order: Order, refund: Refund, failure: str | None, at: datetime) -> None:
    """The provider could not give it back (a closed account, say): it is still ours to give, and operators are told."""
    log.error("refund failed", extra={"order_id": str(order.id), "refund_id": str(refund.id)})
    refunds.note_failure(sql, refund.id, failure or "unknown", at)
    if refund.status is RefundStatus.SUCCEEDED:
        changed = replace(order, refunded_amount=order.refunded_amount - refund.amount)
    else:
        changed = replace(order, refunding_amount=order.refunding_amount - refund.amount)
    changed = replace(changed, payment_status=_status_after(changed, changed.refunded_amount))
    facts = {"refundId": str(refund.id), "amount": str(refund.amount)}
    order = orders.save(sql, changed, "REFUND_FAILED", at, **facts)
    if (
        refund.status is RefundStatus.SUCCEEDED
        and refund.cause != PROVIDER
        and _dashboard_gave_back(sql, order.id)
    ):
        # The sums that its refunds were judged by before had this one among them: its provider is asked anew.
        orders.mark_refunds(sql, order.id, unclear=True)
    disputes.money_came_back(sql, order, at)


def _tell(sql: Sql, order: Order, refund: Refund, *, fully: bool) -> None:
    told = OrderRefunded(
        order_id=order.id,
        order_number=order.order_number,
        user_id=order.user_id,
        event_id=order.event_id,
        refund_id=refund.id,
        amount=refund.amount,
        currency=order.currency,
        fully=fully,
        ticket_ids=refund.ticket_ids,
    )
    outbox.publish(sql, told, subject=order.id, version=order.version)


def _dashboard_gave_back(sql: Sql, order_id: UUID) -> bool:
    return any(refund.cause == PROVIDER for refund in refunds.of_order(sql, order_id))


def _status_after(order: Order, refunded: Decimal) -> PaymentStatus:
    if refunded == order.captured_amount:
        return PaymentStatus.REFUNDED
    if order.dispute in (Dispute.OPEN, Dispute.LOST):
        return PaymentStatus.DISPUTED  # whatever else it was while all of its money was away
    if order.payment_status in (PaymentStatus.DISPUTED, PaymentStatus.CANCELLED):
        return order.payment_status  # until it has its tickets, it is not one partly refunded
    if refunded > ZERO:
        return PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.CANCELLED if order.is_void else PaymentStatus.PAID


def _void(tickets: list[Ticket] | None, ticket_ids: list[UUID] | None) -> list[Ticket] | None:
    """The tickets once these (None: all) have been refunded; the tickets service voids them by our message."""
    if tickets is None:
        return None
    return [
        ticket | {"status": "VOID"} if ticket_ids is None or UUID(ticket["id"]) in ticket_ids else ticket
        for ticket in tickets
    ]
