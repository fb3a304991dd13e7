"""payments-webhooks: look at what the stored webhooks are about, and at payments that no webhook told of."""

from functions.payments import provider, unheard, webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import GatewayTimeout, GatewayUnavailable
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import PaymentUnheard, WebhookReceived

consumer = Consumer(database, "payments-webhooks")


@consumer.on_call(WebhookReceived)
def webhook(message: Message[WebhookReceived]) -> None:
    """Ask how things stand now, apply it, and mark the webhook as handled in the same transaction."""
    with database.transaction() as sql:
        due = webhooks.due(sql, message.data.provider, message.data.event_id, now())
    if due is None:
        return
    answers = webhooks.ask(provider.gateway_at(message.data.provider), due)
    with database.transaction() as sql:
        webhooks.record(sql, due, answers, now())


@consumer.on_call(PaymentUnheard)
def ask(message: Message[PaymentUnheard]) -> None:
    """Ask how the order's payment stands, and apply it; a provider that does not answer is asked again by the job."""
    with database.transaction() as sql:
        order = unheard.due(sql, message.data.order_id)
    if order is None:
        return
    try:
        answer = unheard.ask(provider.gateway_for(order), order)
    except (GatewayUnavailable, GatewayTimeout):
        return
    if answer is None:
        return
    with database.transaction() as sql:
        unheard.record(sql, order, answer, now())


handler = consumer.handler
