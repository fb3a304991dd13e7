"""SendGrid on this machine: its mail/send with its manners; mails become files beside those of SES.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from local.faults import AnswerLost, Faults, OrderedFault
from local.mail_files import with_fault, write

PATH = "/_local/sendgrid"
"""In place of https://api.sendgrid.com."""
FAULTS_PATH = f"{PATH}/_control/faults"

_RESERVED = {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
_RESERVED |= {"to", "from", "subject", "reply-to", "cc", "bcc"}

Answer = tuple[int, list[tuple[str, str]], bytes]


class Refusal(Exception):
    """What SendGrid does not take; `field` as it names it."""

    def __init__(self, message: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.field, self.status = message, field, status


class SendGrid:
    """Takes mails for `folder`; faults ordered for `sendgrid` happen on the way."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.faults = folder, faults

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a request: status, headers, body. Raises AnswerLost if that was ordered."""
        try:
            if (method, path) != ("POST", f"{PATH}/v3/mail/send"):
                raise Refusal("Resource not found", status=404)
            if not headers.get("Authorization", "").startswith("Bearer SG."):
                raise Refusal("The provided authorization grant is invalid, expired, or revoked", status=401)
            mail = _parsed(body)
            id_ = secrets.token_urlsafe(16)
            with_fault(self.faults.take("sendgrid"), lambda: self._take(id_, mail))
        except Refusal as refusal:
            return _refused(refusal)
        except AnswerLost:
            raise
        except OrderedFault as fault:
            return _refused(Refusal(str(fault), status=500))
        return 202, [("X-Message-Id", id_)], b""

    def _take(self, id_: str, mail: dict[str, Any]) -> None:
        recipients = [person["email"] for envelope in mail["personalizations"] for person in envelope["to"]]
        write(self._folder, id_, mail["from"]["email"], recipients, _composed(mail).as_string(), "sendgrid")


def _parsed(body: bytes) -> dict[str, Any]:
    """The mail. Raises Refusal."""
    try:
        mail = json.loads(body)
    except ValueError:
        raise Refusal("Bad Request") from None
    _check_people(mail)
    if not mail.get("subject"):
        raise Refusal("The subject is required.", "subject")
    content = mail.get("content")
    if not content:
        raise Refusal("Unless a valid template_id is provided, the content parameter is required.", "content")
    if any(not part.get("value") for part in content):
        raise Refusal("The content value must be a string at least one character in length.", "content.value")
    kinds = [part.get("type") for part in content]
    if kinds != sorted(kinds, key=["text/plain", "text/html"].index):
        raise Refusal(
            "If present, text/plain and text/html may only be provided once, in this order.", "content"
        )
    if reserved := [name for name in mail.get("headers", {}) if name.lower() in _RESERVED]:
        raise Refusal(f"The header {reserved[0]!r} is reserved.", "headers")
    for attachment in mail.get("attachments", []):
        try:
            base64.b64decode(attachment["content"], validate=True)
        except (KeyError, ValueError):
            raise Refusal("The attachment content must be base64 encoded.", "attachments.0.content") from None
    custom = mail.get("custom_args", {})
    if any(not isinstance(value, str) for value in custom.values()):
        raise Refusal("The custom_args values must be strings.", "custom_args")
    checked: dict[str, Any] = mail
    return checked


def _check_people(mail: Any) -> None:
    if not isinstance(mail, dict) or not mail.get("personalizations"):
        raise Refusal("The personalizations field is required.", "personalizations")
    for envelope in mail["personalizations"]:
        if not envelope.get("to"):
            raise Refusal(
                "The to array is required for all personalization objects.", "personalizations.0.to"
            )
    people = [mail.get("from") or {}, *(person for e in mail["personalizations"] for person in e["to"])]
    if any("@" not in person.get("email", "") for person in people):
        raise Refusal("Does not contain a valid address.", "personalizations.0.to.0.email")


def _composed(mail: dict[str, Any]) -> EmailMessage:
    """The MIME mail that SendGrid makes of it."""
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = _address(mail["from"])
    message["To"] = [_address(person) for envelope in mail["personalizations"] for person in envelope["to"]]
    message["Subject"] = mail["subject"]
    for name, value in mail.get("headers", {}).items():
        message[name] = value
    parts = {part["type"]: part["value"] for part in mail["content"]}
    message.set_content(parts.get("text/plain", ""))
    if "text/html" in parts:
        message.add_alternative(parts["text/html"], subtype="html")
    html = message.get_body(("html",))
    for attachment in mail.get("attachments", []):
        assert isinstance(html, EmailMessage)
        main, sub = attachment["type"].split("/")
        html.add_related(
            base64.b64decode(attachment["content"]),
            maintype=main,
            subtype=sub,
            cid=f"<{attachment['content_id']}>",
            filename=attachment["filename"],
            disposition=attachment["disposition"],
        )
    return message


def _address(person: dict[str, str]) -> Address:
    local, _, domain = person["email"].rpartition("@")
    return Address(person.get("name", ""), local, domain)


def _refused(refusal: Refusal) -> Answer:
    error = {"message": refusal.message, "field": refusal.field, "help": None}
    return (
        refusal.status,
        [("Content-Type", "application/json")],
        json.dumps({"errors": [error]}).encode(),
    )
