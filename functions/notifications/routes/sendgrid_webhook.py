"""POST /api/notifications/webhooks/sendgrid: SendGrid tells what became of mails."""

from functions.notifications import deliveries
from functions.notifications.database import database
from functions.notifications.gateways import sendgrid
from functions.notifications.models import WebhookAnswer
from functions.notifications.settings import WEBHOOK_SECONDS
from shared.api import Api, Work
from shared.clock import now
from shared.requests import RawRequest

api = Api("notifications", database)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@api.post("/api/notifications/webhooks/sendgrid")
def sendgrid_webhook(request: RawRequest, work: Work) -> WebhookAnswer:
    """Verify the very bytes that came, take down the whole batch in one transaction, answer."""
    signature, timestamp = request.header(SIGNATURE) or "", request.header(TIMESTAMP) or ""
    sendgrid.verify(
        request.body, signature=signature, timestamp=timestamp, at=now(), seconds=WEBHOOK_SECONDS()
    )
    reports = list(sendgrid.read(request.body))
    work(lambda sql: deliveries.record_all(sql, reports))
    return WebhookAnswer()


handler = api.handler
