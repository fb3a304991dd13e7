"""Webhooks: stored first, answered at once, handled after.

A webhook may come twice, late, or in any order, so it is taken for a hint only: whoever handles it asks the
provider how things stand now and applies that.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.payments import disputes, refunding, settling
from functions.payments.gateways.gateway import (
    DisputeResult,
    GatewayKnowsNothing,
    PaymentGateway,
    PaymentOutcome,
    PaymentResult,
    RefundResult,
    WebhookEvent,
)
from functions.payments.models import ZERO, Order
from functions.payments.repository import orders, refunds, webhooks
from shared import outbox
from shared.contracts import WebhookReceived
from shared.database import Sql
from shared.log import logger

log = logger("payments")

STRIPE = "stripe"
PAYMENT, REFUND, DISPUTE = "payment_intent.", "refund.", "charge.dispute."
# https://docs.stripe.com/api/events/types; the others are kept, and that is all.
HANDLED = {
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "refund.updated",
    "refund.failed",
}


class TooEarly(Exception):
    """The order is being changed at this moment: look again in a while."""


@dataclass(frozen=True)
class Due:
    """A webhook that has still to have its effect; `order` is as it was before the provider was asked."""

    event_id: str
    type: str
    object_id: str
    intent_id: str | None
    order: Order | None


@dataclass(frozen=True)
class Complaint:
    """A dispute, and the payment that it is about: the news of the dispute may be the first of the payment."""

    dispute: DisputeResult
    payment: PaymentResult


Told = PaymentResult | RefundResult | Complaint


def store(sql: Sql, event: WebhookEvent, at: datetime) -> None:
    """Keep a verified webhook and send it on; one that was kept before and handled since is only acknowledged."""
    if webhooks.store(sql, STRIPE, event, at, handled=event.type not in HANDLED):
        command = WebhookReceived(provider=STRIPE, event_id=event.id)
        outbox.send(sql, "payments-webhooks", command, subject=uuid5(NAMESPACE_URL, event.id))


def due(sql: Sql, event_id: str, at: datetime) -> Due | None:
    """A stored webhook, unless it has been handled or can tell nothing that is not known here."""
    row = webhooks.unhandled(sql, STRIPE, event_id)
    if row is None:
        return None
    order = orders.by_intent(sql, row["intent_id"]) if row["intent_id"] else None
    if row["intent_id"] is None or (
        order is not None and order.captured_amount > ZERO and row["type"].startswith(PAYMENT)
    ):
        webhooks.mark_handled(sql, STRIPE, event_id, at)
        return None
    return Due(event_id, row["type"], row["object_id"], row["intent_id"], order)


def ask(gateway: PaymentGateway, due: Due) -> Told | None:
    """How things stand at the provider now; None if it has no such thing. No transaction is open here."""
    assert due.intent_id is not None
    try:
        if due.type.startswith(REFUND):
            return gateway.fetch_refund(due.object_id)
        if due.type.startswith(DISPUTE):
            return Complaint(gateway.fetch_dispute(due.object_id), gateway.fetch(due.intent_id))
        return gateway.fetch(due.intent_id)
    except GatewayKnowsNothing:
        log.warning("webhook about nothing that the provider knows", extra={"webhook": due.event_id})
        return None


def record(sql: Sql, due: Due, answer: Told | None, at: datetime) -> None:
    """Apply what the provider said, and the webhook is handled.

    Raises:
        TooEarly: the order changed while the provider was asked, so its answer may be out of date.
    """
    if isinstance(answer, RefundResult):
        _record_refund(sql, due, answer, at)
    elif isinstance(answer, Complaint):
        order = _record_payment(sql, due, answer.payment, at)
        if order is not None:
            disputes.record(sql, order, answer.dispute, at)
    elif answer is not None:
        _record_payment(sql, due, answer, at)
    webhooks.mark_handled(sql, STRIPE, due.event_id, at)


def _record_payment(sql: Sql, due: Due, answer: PaymentResult, at: datetime) -> Order | None:
    """The order as it is then; None if the payment is not one of ours."""
    order_id = due.order.id if due.order else _uuid(answer.order_id)
    order = orders.lock(sql, order_id) if order_id else None
    if order is None:
        log.warning("webhook about a payment that is not ours", extra={"webhook": due.event_id})
        return None
    if answer.outcome is not PaymentOutcome.PAID and _has_moved(due.order, order):
        raise TooEarly(due.event_id)
    order = settling.apply(sql, order, answer, at)
    refunding.found_at_provider(sql, order, answer.amount_refunded, at)
    return orders.get(sql, order.id)


def _has_moved(before: Order | None, order: Order) -> bool:
    """Whether the order changed since `before`; None stands for one whose payment was not linked to it yet."""
    if before is None:
        return order.payment_gateway_transaction_id is not None
    return before.version != order.version


def _record_refund(sql: Sql, due: Due, answer: RefundResult, at: datetime) -> None:
    refund_id = _uuid(answer.key)
    refund = refunds.get(sql, refund_id) if refund_id else refunds.by_gateway_id(sql, due.object_id)
    if refund is None:
        return  # made in the provider's dashboard: `charge.refunded` tells the sum
    refunding.record(sql, refund.id, answer, at)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
