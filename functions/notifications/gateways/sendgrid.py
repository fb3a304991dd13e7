"""SendGrid, the provider of mails when SES does not work. Nothing else in the service knows it."""

import base64
import email
import email.policy
import http.client
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, cast
from urllib.error import URLError
from uuid import UUID

from functions.notifications.gateways.failures import MailRefused, NotTaken, PerhapsTaken
from functions.notifications.models import Happened, Report
from shared import parameters
from shared.errors import BadInput

NAME = "sendgrid"
API = "https://api.sendgrid.com"
ANSWER_SECONDS = 5
"""How long SendGrid may take over a mail; with SES's seconds, less than the claim on it lasts."""

ARGUMENT = "notification_id"

# Ours that go along; SendGrid writes the others of a mail itself, and refuses to be told some of them.
HEADERS = ("Message-ID", "X-Notification-Id", "Auto-Submitted")


class BadSignature(BadInput):
    """400: the report is not SendGrid's, or is an old one played again."""

    code = "INVALID_SIGNATURE"
    message = "The signature does not match"


def is_configured() -> bool:
    """Whether an operator has put an API key into the secret."""
    return bool(_secret().get("apiKey"))


def send(mail: bytes, *, id: UUID, sender: str, recipient: str) -> str:
    """Hand a finished MIME mail to SendGrid, in parts.

    https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send

    Args:
        id: the notification's; it comes back as a custom argument of each event.
        sender, recipient: addresses without names; the names are in the mail.

    Returns:
        SendGrid's id of the mail.

    Raises:
        MailRefused: the mail itself is wrong; asking again is of no use.
        PerhapsTaken: no answer. SendGrid may have taken the mail.
        NotTaken: anything else; asking again later may help.
    """
    from python_http_client.exceptions import BadRequestsError, HTTPError, PayloadTooLargeError

    try:  # `from None`: what SendGrid says may name an address, and what is raised here gets into the log
        answer = _client().mail.send.post(request_body=_body(mail, id, sender, recipient))
    except (BadRequestsError, PayloadTooLargeError):
        raise MailRefused("The mail service refused this mail") from None
    except HTTPError as failed:  # a wrong key, a sender not verified yet, a limit, or trouble on their side
        raise NotTaken(f"The mail service failed ({failed.status_code})") from None
    except URLError:  # while connecting or sending: SendGrid has not got the whole of it
        raise NotTaken("The mail service could not be reached") from None
    except (OSError, http.client.HTTPException):
        raise PerhapsTaken("The mail service did not answer in time") from None
    return str(answer.headers.get("X-Message-Id") or id)


def verify(body: bytes, *, signature: str, timestamp: str, at: datetime, seconds: int) -> None:
    """Make sure that a report is SendGrid's: ECDSA over the timestamp and the very bytes that came.

    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features

    Args:
        seconds: how old it may be, or how far ahead of `at`.

    Raises:
        BadSignature: it is not, or too old, or nobody has told us SendGrid's key.
    """
    from cryptography.exceptions import InvalidSignature

    secret = _secret()
    before = secret.get("webhookPublicKeyBefore")  # of a webhook that is being replaced
    try:
        signed = base64.b64decode(signature, validate=True)
        if not before or not _made(before, signed, timestamp.encode() + body):
            _verify(secret["webhookPublicKey"], signed, timestamp.encode() + body)
        age = abs(at.timestamp() - int(timestamp))
    except (InvalidSignature, ValueError, LookupError) as wrong:
        raise BadSignature() from wrong
    if age > seconds:
        raise BadSignature("The report is too old")


def _verify(public_key: str, signature: bytes, content: bytes) -> None:
    """Raises InvalidSignature, and ValueError for what is no key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(public_key, validate=True))
    cast(ec.EllipticCurvePublicKey, key).verify(signature, content, ec.ECDSA(hashes.SHA256()))


def _made(public_key: str, signature: bytes, content: bytes) -> bool:
    """Whether the key made this signature."""
    from cryptography.exceptions import InvalidSignature

    try:
        _verify(public_key, signature, content)
    except InvalidSignature:
        return False
    return True


def read(body: bytes) -> Iterator[Report]:
    """What a batch of events says of mails of ours; events that say nothing that matters are left out. What is no event
    is left out, too: the others of its batch count all the same.

    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event

    Raises:
        BadInput: not a batch.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as bad:
        raise BadInput.field("body", "Not valid JSON") from bad
    if not isinstance(events, list):
        raise BadInput.field("body", "Not a list of events")
    for event in events:
        report = _report(event) if isinstance(event, dict) else None
        if report is not None:
            yield report


def _report(event: dict[str, Any]) -> Report | None:
    what = _what(event)
    id = str(event.get(ARGUMENT, ""))
    if what is None or not _UUID.fullmatch(id):
        return None
    try:
        at = datetime.fromtimestamp(int(event["timestamp"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None
    happened, reason = what
    return Report(
        notification_id=UUID(id),
        provider=NAME,
        message_id=_word(event.get("sg_message_id", "")).split(".")[0],
        happened=happened,
        at=at,
        reason=reason,
    )


def _word(said: object) -> str:
    """SendGrid's word, as far as its column can hold it."""
    return "".join(character for character in str(said)[:_LONGEST] if character.isprintable())


_LONGEST = 255
_DROPPED = {"Bounced Address": Happened.BOUNCED, "Spam Reporting Address": Happened.COMPLAINED}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _what(event: dict[str, Any]) -> tuple[Happened, str | None] | None:
    kind = event.get("event")
    if kind == "bounce":
        if event.get("type") == "blocked":  # by the recipient's server, this time
            return Happened.NOTED, "The mail was not delivered (blocked)"
        return Happened.BOUNCED, "The mail bounced: the address does not take mail"
    if kind == "dropped":
        # "Bounced Address" and the like: SendGrid has a list of addresses that it sends nothing more to, as we have.
        reason = _word(event.get("reason"))
        return _DROPPED.get(reason, Happened.UNDELIVERED), f"The mail service dropped the mail ({reason})"
    plain: dict[Any, tuple[Happened, str | None]] = {
        "processed": (Happened.TAKEN, None),
        "deferred": (Happened.NOTED, "Delivery is delayed"),
        "delivered": (Happened.DELIVERED, None),
        "spamreport": (Happened.COMPLAINED, "The recipient reported the mail as spam"),
    }
    return plain.get(kind) if isinstance(kind, str) else None


def _body(mail: bytes, id: UUID, sender: str, recipient: str) -> dict[str, Any]:
    """The mail in SendGrid's words: the same parts, pictures and addresses, and our own Message-ID."""
    from sendgrid.helpers.mail import (
        Attachment,
        ClickTracking,
        Content,
        CustomArg,
        Header,
        Mail,
        OpenTracking,
        TrackingSettings,
    )

    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    composed = Mail(from_email=(sender, _name(message["From"])), to_emails=(recipient, _name(message["To"])))
    composed.subject = str(message["Subject"])
    for kind in ("plain", "html"):  # in this order: the richest comes last
        part = message.get_body((kind,))
        assert part is not None
        composed.add_content(Content(f"text/{kind}", part.get_content()))
    for part in reversed(list(message.walk())):  # the library puts each before those it has
        if part["Content-ID"]:
            composed.add_attachment(
                Attachment(
                    file_content=base64.b64encode(cast(bytes, part.get_payload(decode=True))).decode(),
                    file_type=part.get_content_type(),
                    file_name=part.get_filename(),
                    disposition="inline",
                    content_id=part["Content-ID"].strip("<>"),
                )
            )
    for name in HEADERS:
        composed.add_header(Header(name, str(message[name])))
    composed.add_custom_arg(CustomArg(ARGUMENT, str(id)))
    # Links in our mails are for one person and for once: nobody else opens or counts them.
    composed.tracking_settings = TrackingSettings(
        click_tracking=ClickTracking(False, False), open_tracking=OpenTracking(False)
    )
    body: dict[str, Any] = composed.get()
    return body


def _name(header: Any) -> str | None:
    return header.addresses[0].display_name or None


def _client() -> Any:
    from sendgrid import SendGridAPIClient

    secret = _secret()
    client = SendGridAPIClient(api_key=secret["apiKey"], host=secret.get("apiBase") or API).client
    client.timeout = ANSWER_SECONDS
    return client


def _secret() -> dict[str, Any]:
    return parameters.secret(os.environ["SENDGRID_SECRET_ARN"])
