"""Webhooks: stored first, answered at once, handled after.

A webhook may come twice, late, or in any order, so it is taken for a hint only: whoever handles it asks the
provider how things stand now and applies that.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.payments import charging, dashboard, disputes, refund_outcomes, second_payments, settling
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
from functions.payments.settings import WEBHOOK_MOST_BYTES
from shared import outbox
from shared.contracts import WebhookReceived
from shared.database import Sql
from shared.errors import BadInput
from shared.log import logger

log = logger("payments")

QUEUE = "payments-webhooks"

# What only tells of taking money: nothing new for an order that is paid.
ABOUT_TAKING = ("payment_intent.", "CHECKOUT.ORDER.", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING")
REFUND, DISPUTE = "refund.", ("charge.dispute.", "CUSTOMER.DISPUTE.")
# One event of PayPal's tells of our own refunds, and of those made in its dashboard.
PAYPAL_REFUND = ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.")
# https://docs.stripe.com/api/events/types, https://developer.paypal.com/api/rest/webhooks/event-names/; the others are
# kept, and that is all.
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
    "CHECKOUT.ORDER.APPROVED",
    "CUSTOMER.DISPUTE.CREATED",
    "CUSTOMER.DISPUTE.RESOLVED",
    "CUSTOMER.DISPUTE.UPDATED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.DECLINED",
    "PAYMENT.CAPTURE.DENIED",
    "PAYMENT.CAPTURE.PENDING",
    "PAYMENT.CAPTURE.REFUNDED",
    "PAYMENT.CAPTURE.REVERSED",
    "PAYMENT.REFUND.FAILED",
    "PAYMENT.REFUND.PENDING",
}


class TooEarly(Exception):
    """The order is being changed at this moment: look again in a while."""


@dataclass(frozen=True)
class Due:
    """A webhook that has still to have its effect; `order` is as it was before the provider was asked."""

    provider: str
    event_id: str
    type: str
    object_id: str
    intent_id: str | None
    charge_id: str | None
    order: Order | None


@dataclass(frozen=True)
class Complaint:
    """A dispute, and the payment that it is about: the news of the dispute may be the first of the payment."""

    dispute: DisputeResult
    payment: PaymentResult


Answer = PaymentResult | RefundResult | Complaint


def check_size(body: bytes) -> None:
    """Refuse what is longer than any provider's event, before anything is made of it.

    Raises:
        BadInput: it is.
    """
    if len(body) > WEBHOOK_MOST_BYTES():
        raise BadInput.field("body", "Longer than any event")


def store(sql: Sql, provider: str, event: WebhookEvent, at: datetime) -> None:
    """Keep a verified webhook and send it on; one that was kept before and handled since is only acknowledged."""
    if webhooks.store(sql, provider, event, at, handled=event.type not in HANDLED):
        _send(sql, provider, event.id)


def subject(event_id: str) -> UUID:
    """A webhook as the subject of a message."""
    return uuid5(NAMESPACE_URL, event_id)


def due(sql: Sql, provider: str, event_id: str, at: datetime) -> Due | None:
    """A stored webhook, unless it has been handled or can tell nothing that is not known here."""
    row = webhooks.unhandled(sql, provider, event_id)
    if row is None:
        return None
    order = orders.by_intent(sql, row["intent_id"]) if row["intent_id"] else None
    is_known = order is not None and order.captured_amount > ZERO and row["type"].startswith(ABOUT_TAKING)
    if is_known or (row["intent_id"] is None and row["charge_id"] is None):
        webhooks.mark_handled(sql, provider, event_id, at)
        return None
    return Due(provider, event_id, row["type"], row["object_id"], row["intent_id"], row["charge_id"], order)


def ask(gateway: PaymentGateway, due: Due) -> list[Answer]:
    """How things stand at the provider now; nothing if it has no such thing. No transaction is open here."""
    answers: list[Answer] = []
    try:
        if due.type.startswith(DISPUTE):
            return _complaint(gateway, due)
        if due.type.startswith((REFUND, *PAYPAL_REFUND)):
            answers.append(gateway.fetch_refund(due.object_id))
        if not due.type.startswith(REFUND) or _failed_elsewhere(answers):
            payment = _payment(gateway, due)
            answers += [] if payment is None else [payment]
    except GatewayKnowsNothing:
        log.warning("webhook about nothing that the provider knows", extra={"webhook": due.event_id})
    return answers


def record(sql: Sql, due: Due, answers: list[Answer], at: datetime) -> None:
    """Apply what the provider said, and the webhook is handled; or it is sent on again, now that its order is known.

    Raises:
        TooEarly: the order changed while the provider was asked, so its answer may be out of date.
    """
    if _is_known_by_now(sql, due, answers):
        return
    before, failed = due.order, None
    is_current = _is_current(sql, before)
    for answer in answers:
        if isinstance(answer, RefundResult):
            failed = _record_refund(sql, due, answer, at)
            if before is not None and is_current:  # what we change ourselves outdates no other answer
                before = orders.get(sql, before.id)
        elif isinstance(answer, Complaint):
            complained = hear(sql, due.provider, before, answer.payment, at)
            if complained is not None:
                disputes.record(sql, complained, answer.dispute, at)
        else:
            hear(sql, due.provider, before, answer, at, failed=failed)
    webhooks.mark_handled(sql, due.provider, due.event_id, at)


def hear(
    sql: Sql,
    provider: str,
    before: Order | None,
    answer: PaymentResult,
    at: datetime,
    *,
    failed: RefundResult | None = None,
) -> Order | None:
    """Apply how a payment stands to its order; the order as it is then, None if the payment is not one of ours.

    Args:
        before: the order as it was before the provider was asked; None if the payment was not linked to one.
        failed: a refund of this payment that was made in the provider's dashboard, and failed.

    Raises:
        TooEarly: the order changed while the provider was asked, so its answer may be out of date.
    """
    order_id = before.id if before else _uuid(answer.order_id)
    order = orders.lock(sql, order_id) if order_id else None
    if order is None:
        log.warning("news of a payment that is not ours", extra={"provider": provider})
        return None
    if failed is not None and second_payments.came_back(sql, order, provider, answer, at):
        return None
    if _is_left(order, answer):
        if _is_paid(answer):
            second_payments.found(sql, order, provider, answer, at)
        return None
    is_unclear = failed is not None or order.refunds_unclear
    if _has_changed(before, order, answer) and (is_unclear or _may_be_outdated(answer)):
        raise TooEarly(str(order.id))
    if _is_paid(answer) and not settling.is_its_price(order, answer):
        settling.give_up(sql, order, provider, answer, at)
        return None
    if _is_paid(answer) and order.captured_amount == ZERO:
        order = replace(order, payment_method=provider)  # it is where the money is
    order = settling.apply(sql, order, answer, at)
    if answer.outcome is PaymentOutcome.APPROVED:
        charging.go_on(sql, order, at)
    if is_unclear:
        order = dashboard.came_back(sql, order, answer.amount_refunded, failed, at)
    refund_outcomes.found_at_provider(sql, order, answer.amount_refunded, at)
    return orders.get(sql, order.id)


def _send(sql: Sql, provider: str, event_id: str) -> None:
    command = WebhookReceived(provider=provider, event_id=event_id)
    outbox.send(sql, QUEUE, command, subject=subject(event_id))


def _complaint(gateway: PaymentGateway, due: Due) -> list[Answer]:
    payment = _payment(gateway, due)
    return [] if payment is None else [Complaint(gateway.fetch_dispute(due.object_id), payment)]


def _payment(gateway: PaymentGateway, due: Due) -> PaymentResult | None:
    if due.intent_id is not None:
        return gateway.fetch(due.intent_id)
    return gateway.fetch_by_charge(due.charge_id) if due.charge_id else None


def _is_left(order: Order, answer: PaymentResult) -> bool:
    """Whether this is a payment that the buyer has left for another provider: it was cancelled before that.

    Should it be paid all the same, it is the order's payment if there is no other, and the second one if there is.
    """
    current = order.payment_gateway_transaction_id
    if current == answer.intent_id or (current is None and order.payment_number == 1):
        return False
    return not _is_paid(answer) or order.captured_amount > ZERO


def _is_known_by_now(sql: Sql, due: Due, answers: list[Answer]) -> bool:
    """Whether the provider told whose news this is, which named a charge alone: it is asked once more.

    Nobody could look at the order before, and so nobody can say whether the answer is older than what it says now.
    """
    if due.intent_id is not None:
        return False
    payments = [answer.payment if isinstance(answer, Complaint) else answer for answer in answers]
    intent_id = next((found.intent_id for found in payments if isinstance(found, PaymentResult)), None)
    if intent_id is None or orders.by_intent(sql, intent_id) is None:
        return False
    webhooks.note_intent(sql, due.provider, due.event_id, intent_id)
    _send(sql, due.provider, due.event_id)
    return True


def _is_current(sql: Sql, before: Order | None) -> bool:
    """Whether the order, which is locked, is as it was before the provider was asked."""
    order = orders.lock(sql, before.id) if before else None
    return before is not None and order is not None and order.version == before.version


def _has_changed(before: Order | None, order: Order, answer: PaymentResult) -> bool:
    """Whether the order changed since `before`; None stands for one whose payment was not linked to it yet."""
    if before is None:
        return order.payment_gateway_transaction_id == answer.intent_id
    return before.version != order.version


def _may_be_outdated(answer: PaymentResult) -> bool:
    """Whether a change may have made the answer untrue.

    What is paid stays paid, but what has been given back of it may come back.
    """
    return not (_is_paid(answer) and answer.amount_refunded == ZERO)


def _is_paid(answer: PaymentResult) -> bool:
    return answer.outcome is PaymentOutcome.PAID


def _failed_elsewhere(answers: list[Answer]) -> bool:
    """Whether a refund failed that bears no name of ours: what it was of tells how much of it is missing here."""
    refunds_told = [answer for answer in answers if isinstance(answer, RefundResult)]
    return any(_uuid(told.key) is None and told.status == "failed" for told in refunds_told)


def _record_refund(sql: Sql, due: Due, answer: RefundResult, at: datetime) -> RefundResult | None:
    """Record what became of a refund of ours; the answer, if it is of one made in the provider's dashboard that failed.

    (Of one that was made there `charge.refunded` tells the sum.)
    """
    key = _uuid(answer.key)
    refund = refunds.get(sql, key) if key else refunds.by_gateway_id(sql, due.object_id)
    if refund is not None:
        refund_outcomes.record(sql, refund.id, answer, at)
        return None
    if key is not None and second_payments.heard(sql, key, answer, at):
        return None
    return answer if answer.status == "failed" else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
