"""payments-webhooks: look at what the stored webhooks are about."""

from functions.payments import provider, webhooks
from functions.payments.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import WebhookReceived

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


handler = consumer.handler
