"""Giving money back: asked for by an organizer, owed because no tickets came of it, or because it came too late.

What is being refunded is set aside on the order first, so that no two refunds together exceed the payment: a CHECK
says so. Then the provider is asked, under the refund's own id, and its answer recorded.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from functions.payments import owing
from functions.payments.gateways.gateway import GatewayRefused, PaymentGateway, RefundResult
from functions.payments.models import (
    MAX_REFUNDS_PER_ORDER,
    ZERO,
    Order,
    OrderNotRefundable,
    PaymentStatus,
    Refund,
    RefundAccepted,
    RefundExceedsPayment,
    RefundRequest,
    RefundStatus,
    Ticket,
    TooManyRefunds,
)
from functions.payments.repository import orders, refunds
from shared import business, metrics, outbox
from shared.contracts import OrderRefunded, RefundRequested
from shared.database import Sql
from shared.errors import BadInput, NotFound
from shared.identity import User
from shared.log import logger

log = logger("payments")

GATEWAY_STATUS = {"succeeded": RefundStatus.SUCCEEDED, "failed": RefundStatus.FAILED}
# What Stripe and PayPal say of money that is not here any more; with any other refusal somebody has to look at it.
# https://docs.stripe.com/error-codes, https://developer.paypal.com/api/rest/reference/payments/v2/errors/
NEVER_REFUNDABLE = (
    *("charge_disputed", "charge_already_refunded"),
    *("CAPTURE_DISPUTED", "CAPTURE_FULLY_REFUNDED"),
)
_BY_PROVIDER = "Refunded at the payment provider"
_BY_BANK = "The buyer's bank took it back"


def request(sql: Sql, organizer: User, wanted: RefundRequest, at: datetime) -> RefundAccepted:
    """Record a refund that the event's organizer asks for; `consumers/refunds` carries it out.

    Raises:
        NotFound: no such order of an event of this organizer.
        BadInput: both an amount and tickets, or tickets that are not the order's.
        OrderNotRefundable: bought, but its tickets are not there yet; or disputed, where the bank decides.
        RefundExceedsPayment: more than is left.
        TooManyRefunds: one more part, where there are so many already.
    """
    if wanted.amount is not None and wanted.ticket_ids is not None:
        raise BadInput.field("amount", "Give an amount or ticketIds, not both")
    order = orders.lock(sql, wanted.order_id)
    if order is None or not organizer.may_act_for(order.organizer_id):
        raise NotFound()
    if order.payment_status is PaymentStatus.DISPUTED:
        raise OrderNotRefundable()
    if order.shown_status is not order.payment_status:
        raise OrderNotRefundable("The tickets of this order are still being issued")
    amount, ticket_ids = _extent(sql, order, wanted)
    is_part = amount < order.refundable_amount
    if is_part and refunds.number_asked_for(sql, order.id) >= MAX_REFUNDS_PER_ORDER:
        raise TooManyRefunds()
    refund_id = ask(
        sql,
        order,
        amount,
        at,
        cause="REQUESTED",
        reason=wanted.reason,
        ticket_ids=ticket_ids,
        requested_by=organizer.id,
    )
    return RefundAccepted(
        refund_id=refund_id,
        order_id=order.id,
        status=RefundStatus.REQUESTED,
        amount=amount,
        currency=order.currency,
    )


def ask(
    sql: Sql,
    order: Order,
    amount: Decimal,
    at: datetime,
    *,
    cause: str,
    reason: str,
    ticket_ids: list[UUID] | None = None,
    requested_by: UUID | None = None,
) -> UUID:
    """Set the amount aside on the locked order and send the command to give it back; the refund's id.

    Raises:
        RefundExceedsPayment: nothing, or more than is left.
    """
    if not ZERO < amount <= order.refundable_amount:
        raise RefundExceedsPayment()
    refund_id = uuid4()
    refunds.create(
        sql,
        refund_id,
        order.id,
        amount,
        reason,
        at,
        cause=cause,
        ticket_ids=ticket_ids or [],
        requested_by=requested_by,
    )
    orders.save(
        sql,
        replace(order, refunding_amount=order.refunding_amount + amount),
        "REFUND_REQUESTED",
        at,
        refundId=str(refund_id),
        amount=str(amount),
    )
    command = RefundRequested(refund_id=refund_id, order_id=order.id)
    outbox.send(sql, "payments-refunds", command, subject=order.id)
    return refund_id


def due(sql: Sql, refund_id: UUID) -> tuple[Order, Refund] | None:
    """A refund that the provider has still to be asked for."""
    refund = refunds.get(sql, refund_id)
    if refund is None or refund.status is not RefundStatus.REQUESTED:
        return None
    order = orders.get(sql, refund.order_id)
    return (order, refund) if order else None


@dataclass(frozen=True)
class NotRefundable:
    """The provider will never carry this refund out; `amount_refunded` is what it has given back of the payment.

    `code` is the provider's, where the money is not here any more, or else says that it was more than is left.
    """

    code: str
    amount_refunded: Decimal


def carry_out(gateway: PaymentGateway, order: Order, refund: Refund) -> RefundResult | NotRefundable:
    """Ask the provider to give the money back. No transaction is open here.

    Raises:
        GatewayUnavailable, GatewayTimeout: try again, under the same key.
        GatewayRefused: somebody has to look at it.
    """
    intent_id = order.payment_gateway_transaction_id
    assert intent_id is not None
    try:
        return gateway.refund(
            intent_id=intent_id, amount=refund.amount, key=str(refund.id), reason=refund.reason
        )
    except GatewayRefused as refused:
        given_back = gateway.fetch(intent_id).amount_refunded
        # Somebody gave a part of it back in the dashboard meanwhile: less is left than this refund is of.
        is_too_much = refund.amount > order.captured_amount - given_back
        if refused.provider_code not in NEVER_REFUNDABLE and not is_too_much:
            raise
        is_gone = refused.provider_code in NEVER_REFUNDABLE
        return NotRefundable(str(refused.provider_code) if is_gone else owing.TOO_LARGE, given_back)


def record(sql: Sql, refund_id: UUID, answer: RefundResult | NotRefundable, at: datetime) -> None:
    """Record what the provider made of a refund; safe to hear twice, in any order."""
    refund = refunds.get(sql, refund_id)
    order = orders.lock(sql, refund.order_id) if refund else None
    refund = refunds.get(sql, refund_id)  # again, now that nobody else can be deciding it
    assert refund is not None
    assert order is not None
    if isinstance(answer, NotRefundable):
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
    refund_id = uuid4()
    refunds.create(
        sql, refund_id, order.id, amount, _BY_PROVIDER, at, cause="PROVIDER", ticket_ids=_unrefunded(order)
    )
    refunds.finish(sql, refund_id, RefundStatus.SUCCEEDED, at, gateway_refund_id=None)
    refund = refunds.get(sql, refund_id)
    assert refund is not None
    aside = replace(order, refunding_amount=order.refunding_amount + amount)
    _succeeded(sql, aside, refund, None, at)


def taken_by_bank(sql: Sql, order: Order, amount: Decimal, at: datetime) -> Order:
    """A dispute was lost: the money went back through the bank, and nobody tells the buyer but the bank.

    An order that keeps some of its money stays disputed: its tickets are void, so it is not one partly refunded.
    """
    refund_id = uuid4()
    refunds.create(
        sql, refund_id, order.id, amount, _BY_BANK, at, cause="DISPUTE_LOST", ticket_ids=_unrefunded(order)
    )
    refunds.finish(sql, refund_id, RefundStatus.SUCCEEDED, at, gateway_refund_id=None)
    refund = refunds.get(sql, refund_id)
    assert refund is not None
    refunded = order.refunded_amount + amount
    fully = refunded == order.captured_amount
    status = PaymentStatus.REFUNDED if fully else PaymentStatus.DISPUTED
    order = orders.save(
        sql,
        replace(order, refunded_amount=refunded, payment_status=status),
        "DISPUTE_LOST",
        at,
        refundId=str(refund_id),
        amount=str(amount),
    )
    refunds.audit(sql, order, refund, None, at)
    return order


def _extent(sql: Sql, order: Order, wanted: RefundRequest) -> tuple[Decimal, list[UUID]]:
    """How much to give back, and for which tickets: those named, all that are left, or none in particular."""
    if wanted.amount is not None:
        return wanted.amount, []
    if wanted.ticket_ids is None:
        return order.refundable_amount, _unrefunded(order)
    prices = {item["ticket_type_id"]: item["unit_price"] for item in orders.items(sql, order.id)}
    tickets = {UUID(ticket["id"]): ticket for ticket in order.tickets or []}
    wanted_ids = list(dict.fromkeys(wanted.ticket_ids))
    if any(ticket_id not in tickets for ticket_id in wanted_ids):
        raise BadInput.field("ticketIds", "Not a ticket of this order")
    if _named(sql, order.id) & set(wanted_ids):
        raise RefundExceedsPayment("A ticket was refunded already")
    return sum((prices[UUID(tickets[id_]["ticketTypeId"])] for id_ in wanted_ids), ZERO), wanted_ids


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


def tell_again(sql: Sql, order: Order) -> None:
    """Have the tickets service void all tickets of an order whose money went back before it had any.

    Who has heard of the refund takes it as heard.
    """
    gone = [refund for refund in refunds.of_order(sql, order.id) if refund.status is RefundStatus.SUCCEEDED]
    if gone:
        _tell(sql, order, gone[-1], fully=True)


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


def _refused(sql: Sql, order: Order, refund: Refund, answer: NotRefundable, at: datetime) -> None:
    """What the provider gave back behind our back, and therefore refuses to give back twice, is taken over."""
    if refunds.finish(sql, refund.id, RefundStatus.FAILED, at, gateway_refund_id=None):
        _did_not_succeed(sql, order, refund, answer.code, at)
        found = orders.get(sql, order.id)
        assert found is not None
        if found.refunds_unclear and _is_ahead(sql, found, answer.amount_refunded):
            return  # a refund of the dashboard's failed meanwhile: who asks next (`unheard`) finds which
        found_at_provider(sql, found, answer.amount_refunded, at)
        if answer.code not in NEVER_REFUNDABLE and not _ask_for_the_rest(sql, order.id, at):
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
    named = _named(sql, order_id)
    ticket_ids = [id_ for ticket in order.tickets or [] if (id_ := UUID(ticket["id"])) not in named]
    ask(sql, order, order.refundable_amount, at, cause=cause, reason=reason, ticket_ids=ticket_ids)
    return True


def _did_not_succeed(sql: Sql, order: Order, refund: Refund, failure: str | None, at: datetime) -> None:
    """The provider could not give it back (a closed account, say): it is still ours to give, and operators are told."""
    log.error("refund failed", extra={"order_id": str(order.id), "refund_id": str(refund.id)})
    refunds.note_failure(sql, refund.id, failure or "unknown", at)
    if refund.status is RefundStatus.SUCCEEDED:
        changed = replace(order, refunded_amount=order.refunded_amount - refund.amount)
    else:
        changed = replace(order, refunding_amount=order.refunding_amount - refund.amount)
    changed = replace(changed, payment_status=_status_after(changed, changed.refunded_amount))
    orders.save(sql, changed, "REFUND_FAILED", at, refundId=str(refund.id), amount=str(refund.amount))


def _status_after(order: Order, refunded: Decimal) -> PaymentStatus:
    if refunded == order.captured_amount:
        return PaymentStatus.REFUNDED
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


def _unrefunded(order: Order) -> list[UUID]:
    return [UUID(ticket["id"]) for ticket in order.tickets or [] if ticket["status"] != "VOID"]


def _named(sql: Sql, order_id: UUID) -> set[UUID]:
    """The tickets of refunds that were made or are on their way."""
    made = [refund for refund in refunds.of_order(sql, order_id) if refund.status is not RefundStatus.FAILED]
    return {id_ for refund in made for id_ in refund.ticket_ids}
