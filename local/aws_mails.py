"""Mail sent through the emulator's SES, written to files: `<time>-<id>.eml` and the envelope beside it as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from moto.ses.models import SESBackend

from local.aws_replace import replace
from local.faults import SLOW_SECONDS, Faults, OrderedFault

TIMEOUT_SECONDS = 60.0


def install(folder: Path, faults: Faults) -> None:
    """Write every mail that SES accepts into `folder`; faults ordered for `ses` happen on the way."""
    folder.mkdir(parents=True, exist_ok=True)
    send_raw, send = SESBackend.send_raw_email, SESBackend.send_email

    def send_raw_email(self: SESBackend, source: str, destinations: list[str], raw_data: str) -> Any:
        envelope = list(destinations)

        def deliver() -> Any:
            message = send_raw(self, source, destinations, raw_data)
            write(folder, message.id, source or message.source, envelope or message.destinations, raw_data)
            return message

        return _with_fault(faults.take("ses"), deliver)

    def send_email(self: SESBackend, source: str, subject: str, body: str, destinations: Any) -> Any:
        def deliver() -> Any:
            message = send(self, source, subject, body, destinations)
            recipients = [address for addresses in destinations.values() for address in addresses]
            write(folder, message.id, source, recipients, _compose(source, recipients, subject, body))
            return message

        return _with_fault(faults.take("ses"), deliver)

    replace(SESBackend, send_raw_email=send_raw_email, send_email=send_email)


def write(folder: Path, id_: str, source: str, recipients: list[str], raw: str) -> None:
    """Write one mail; the envelope comes last, so that whoever lists envelopes finds the mail beside each."""
    at = datetime.now(UTC)
    name = f"{at.strftime('%Y%m%dT%H%M%S.%fZ')}-{id_}"
    addresses = dict.fromkeys(parseaddr(recipient)[1] for recipient in recipients)
    envelope = {
        "id": id_,
        "sentAt": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "from": source,
        "to": list(addresses),
    }
    (folder / f"{name}.eml").write_text(raw, newline="")
    draft = folder / f"{name}.tmp"
    draft.write_text(json.dumps(envelope))
    draft.rename(folder / f"{name}.json")


def _compose(source: str, recipients: list[str], subject: str, body: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = source, ", ".join(recipients), subject
    message.set_content(body, subtype="html" if body.lstrip().startswith("<") else "plain")
    return message.as_string()


def _with_fault(mode: str | None, deliver: Callable[[], Any]) -> Any:
    failure = OrderedFault("a fault was ordered for this mail")
    if mode in ("error", "kill_before"):
        raise failure
    if mode == "timeout":
        time.sleep(TIMEOUT_SECONDS)
        raise failure
    if mode == "slow":
        time.sleep(SLOW_SECONDS)
    message = deliver()
    if mode == "duplicate":
        deliver()
    if mode == "kill_after":
        raise failure
    return message
