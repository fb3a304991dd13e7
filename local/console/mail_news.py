"""What becomes of mails, decided by a developer: told to Box Office in the words of the provider that took the mail."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from local.console.faults import Rejected
from local.console.mails import Mail
from local.permissions.grants import SES, access_key
from local.permissions.policy import Caller
from local.resources import REGION
from local.sendgrid_account import signed

_SES: dict[str, tuple[str, dict[str, Any]]] = {
    "deliver": ("Delivery", {"processingTimeMillis": 12, "smtpResponse": "250 2.0.0 OK"}),
    "bounce": ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "laptop"}),
    "complain": ("Complaint", {"complaintFeedbackType": "abuse", "feedbackId": "laptop"}),
}
_SENDGRID: dict[str, dict[str, Any]] = {
    "deliver": {"event": "delivered", "response": "250 OK"},
    "bounce": {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 unknown user"},
    "complain": {"event": "spamreport"},
}
KINDS = tuple(_SES)


class MailNews:
    """Tells what `KINDS` name of a mail; SES for the configuration set `teller`. Set `session` before use."""

    session: aiohttp.ClientSession

    def __init__(self, aws_url: str, topic: str | None, teller: str, gateway_url: str, folder: Path) -> None:
        self._key = access_key(Caller(SES, SES, teller))
        self._aws_url, self._topic, self._gateway_url, self._folder = aws_url, topic, gateway_url, folder

    async def tell(self, mail: Mail, kind: str) -> None:
        """Raises Rejected if nobody listens."""
        if mail.provider == "sendgrid":
            await self._post(json.dumps([sendgrid_event(mail, kind)]).encode())
        else:
            await self._publish(json.dumps(ses_event(mail, kind)))

    async def _publish(self, message: str) -> None:
        if self._topic is None:
            raise Rejected(404, "NOT_FOUND", "The template has no topic for what SES tells.")
        action = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": self._topic, "Message": message}
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self._key}/20260101/{REGION}/sns/aws4_request"
        }
        async with self.session.post(f"{self._aws_url}/", data=action, headers=headers) as answer:
            await _refuse_errors(answer)

    async def _post(self, body: bytes) -> None:
        url = f"{self._gateway_url}/api/notifications/webhooks/sendgrid"
        async with self.session.post(url, data=body, headers=signed(self._folder, body)) as answer:
            await _refuse_errors(answer)


def ses_event(mail: Mail, kind: str) -> dict[str, Any]:
    """The event that SES publishes.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name, details = _SES[kind]
    recipients = [{"emailAddress": address} for address in mail.to]
    lists = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}
    return {
        "eventType": name,
        "mail": {
            "timestamp": mail.sent_at,
            "source": str(mail.message["From"]),
            "messageId": mail.id,
            "destination": list(mail.to),
            "tags": {"notification": [str(mail.message["X-Notification-Id"])]},
        },
        name.lower(): {"timestamp": at, **details}
        | ({lists[name]: recipients} if name in lists else {"recipients": list(mail.to)}),
    }


def sendgrid_event(mail: Mail, kind: str) -> dict[str, Any]:
    """The event that SendGrid posts. https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""
    return {
        "email": mail.to[0],
        "timestamp": int(time.time()),
        "sg_event_id": uuid.uuid4().hex,
        "sg_message_id": f"{mail.id}.laptop",
        "notification_id": str(mail.message["X-Notification-Id"]),
        **_SENDGRID[kind],
    }


async def _refuse_errors(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 300:
        raise Rejected(503, "SERVICE_UNAVAILABLE", f"The news was not taken: {(await answer.text())[:300]}")
