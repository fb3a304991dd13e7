"""Mail sent through the emulator's SES, written to files."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

from moto.ses.models import SESBackend

from local.aws_replace import replace
from local.faults import Faults
from local.mail_files import with_fault, write


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

        return with_fault(faults.take("ses"), deliver)

    def send_email(self: SESBackend, source: str, subject: str, body: str, destinations: Any) -> Any:
        def deliver() -> Any:
            message = send(self, source, subject, body, destinations)
            recipients = [address for addresses in destinations.values() for address in addresses]
            write(folder, message.id, source, recipients, _compose(source, recipients, subject, body))
            return message

        return with_fault(faults.take("ses"), deliver)

    replace(SESBackend, send_raw_email=send_raw_email, send_email=send_email)


def _compose(source: str, recipients: list[str], subject: str, body: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = source, ", ".join(recipients), subject
    message.set_content(body, subtype="html" if body.lstrip().startswith("<") else "plain")
    return message.as_string()
