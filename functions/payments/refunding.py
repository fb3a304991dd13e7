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
    TooManyRefunds,
)
from functions.payments.repository import orders, refunds
from shared import outbox
from shared.contracts import RefundRequested
from shared.database import Sql
from shared.errors import BadInput, NotFound
from shared.identity import User

# What Stripe and PayPal say of money that is not here any more; with any other refusal somebody has to look at it.
# https://docs.stripe.com/error-codes, https://developer.paypal.com/api/rest/reference/payments/v2/errors/
NEVER_REFUNDABLE = (
    *("charge_disputed", "charge_already_refunded"),
    *("CAPTURE_DISPUTED", "CAPTURE_FULLY_REFUNDED"),
)


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


def _extent(sql: Sql, order: Order, wanted: RefundRequest) -> tuple[Decimal, list[UUID]]:
    """How much to give back, and for which tickets: those named, all that are left, or none in particular."""
    if wanted.amount is not None:
        return wanted.amount, []
    if wanted.ticket_ids is None:
        return order.refundable_amount, unrefunded(order)
    prices = {item["ticket_type_id"]: item["unit_price"] for item in orders.items(sql, order.id)}
    tickets = {UUID(ticket["id"]): ticket for ticket in order.tickets or []}
    wanted_ids = list(dict.fromkeys(wanted.ticket_ids))
    if any(ticket_id not in tickets for ticket_id in wanted_ids):
        raise BadInput.field("ticketIds", "Not a ticket of this order")
    if named(sql, order.id) & set(wanted_ids):
        raise RefundExceedsPayment("A ticket was refunded already")
    return sum((prices[UUID(tickets[id_]["ticketTypeId"])] for id_ in wanted_ids), ZERO), wanted_ids


def unrefunded(order: Order) -> list[UUID]:
    """The tickets that no refund, nor anything else, has made void."""
    return [UUID(ticket["id"]) for ticket in order.tickets or [] if ticket["status"] != "VOID"]


def named(sql: Sql, order_id: UUID) -> set[UUID]:
    """The tickets of refunds that were made or are on their way."""
    made = [refund for refund in refunds.of_order(sql, order_id) if refund.status is not RefundStatus.FAILED]
    return {id_ for refund in made for id_ in refund.ticket_ids}
