"""Money that nobody told us of: its webhook never came, or the answer to our own call was lost. The provider is asked.

An order is asked about when nothing was heard of it for a while, and again each time it is twice as old, for as many
days as a provider may review a payment. So is one whose provider gave back an amount that no refund of ours explains
for sure. The answer is taken like a webhook's.
"""

from datetime import datetime
from uuid import UUID

from functions.payments import charging, webhooks
from functions.payments.gateways.gateway import (
    GatewayKnowsNothing,
    PaymentGateway,
    PaymentOutcome,
    PaymentResult,
)
from functions.payments.models import ZERO, Order, PaymentStatus
from functions.payments.repository import attempts, orders
from functions.payments.repository import unheard as repository
from shared import metrics, outbox
from shared.contracts import PaymentUnheard, WebhookReceived
from shared.database import Sql

_MAY_STILL_BE_PAID = (PaymentOutcome.PAID, PaymentOutcome.PROCESSING)


def ask_again(sql: Sql, at: datetime, older_than_seconds: float, days: int, limit: int) -> int:
    """Send a command for each order whose provider is to be asked; how many."""
    found = repository.take_orders(sql, at, older_than_seconds, days, limit)
    found += repository.take_unclear(sql, at, older_than_seconds, limit)
    for order_id in found:
        outbox.send(sql, webhooks.QUEUE, PaymentUnheard(order_id=order_id), subject=order_id)
    if found:
        metrics.count("payments", "ProvidersAsked", len(found))
    return len(found)


def webhook_again(sql: Sql, at: datetime, older_than_seconds: float, days: int, limit: int) -> int:
    """Send the command of webhooks that were stored and not handled; how many."""
    found = repository.take_webhooks(sql, at, older_than_seconds, days, limit)
    for row in found:
        command = WebhookReceived(provider=row["provider"], event_id=row["event_id"])
        outbox.send(sql, webhooks.QUEUE, command, subject=webhooks.subject(row["event_id"]))
    if found:
        metrics.count("payments", "WebhooksSentAgain", len(found))
    return len(found)


def due(sql: Sql, order_id: UUID) -> Order | None:
    """The order, if there is still something to ask: an attempt under way will tell by itself."""
    order = orders.get(sql, order_id)
    if order is not None and order.refunds_unclear:
        return order
    if order is None or order.captured_amount > ZERO or attempts.open_of(sql, order_id) is not None:
        return None
    if order.payment_gateway_transaction_id is None and not _may_be_found(sql, order):
        return None
    return order


def ask(gateway: PaymentGateway, order: Order) -> PaymentResult | None:
    """How the order's payment stands; None if there is none. No transaction is open here.

    Raises:
        GatewayUnavailable, GatewayTimeout: it is asked again later.
    """
    intent_id = order.payment_gateway_transaction_id
    if (
        intent_id is None
    ):  # the attempt died before its payment's id was recorded: the same one is found again
        return gateway.open(
            order_id=str(order.id),
            amount=order.total_amount,
            currency=order.currency,
            payment_number=order.payment_number,
            metadata=charging.metadata_of(order),
        )
    try:
        return gateway.fetch(intent_id)
    except GatewayKnowsNothing:
        return None


def record(sql: Sql, before: Order, answer: PaymentResult, at: datetime) -> None:
    """Apply the answer, unless the order has moved on since it was asked about."""
    try:
        order = webhooks.hear(sql, before.payment_method, before, answer, at)
    except webhooks.TooEarly:
        return
    if order is None:
        return
    if order.version != before.version:
        metrics.count("payments", "UnheardPaymentsFound")
    if order.payment_status is PaymentStatus.CANCELLED and answer.outcome not in _MAY_STILL_BE_PAID:
        repository.ask_no_more(sql, order.id)


def _may_be_found(sql: Sql, order: Order) -> bool:
    """Whether a payment may be there that we know no name of. At PayPal nobody could have approved it."""
    return (
        order.is_undecided
        and order.payment_method == charging.STRIPE
        and attempts.were_made(sql, order.id, order.payment_method)
    )
