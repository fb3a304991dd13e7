"""POST /api/payments/webhooks/paypal: PayPal tells what happened to a payment."""

from functions.payments import provider, webhooks
from functions.payments.database import database
from functions.payments.models import WebhookAnswer
from shared.api import Api, Work
from shared.clock import now
from shared.requests import RawRequest

api = Api("payments", database)


@api.post("/api/payments/webhooks/paypal")
def paypal_webhook(request: RawRequest, work: Work) -> WebhookAnswer:
    """Verify the very bytes that came, store the event, answer; consumers/webhooks does the rest."""
    webhooks.check_size(request.body)
    event = provider.paypal().verify_webhook(request.body, request.headers)
    work(lambda sql: webhooks.store(sql, "paypal", event, now()))
    return WebhookAnswer()


handler = api.handler
