"""The mails that Box Office sent on this machine, read from the files that the AWS emulation writes."""

import base64
import email
import email.policy
import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast


@dataclass(frozen=True)
class Mail:
    """One mail as it was sent; `to` are the addresses of its envelope, `provider` who took it."""

    id: str
    sent_at: str
    to: tuple[str, ...]
    message: EmailMessage
    provider: str

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def page(self) -> str:
        """The HTML part with the pictures that it carries, or the text where there is no HTML."""
        page = self.html or f"<pre>{_escaped(self.text)}</pre>"
        for part in self.message.walk():
            if reference := part.get("Content-ID"):
                content = base64.b64encode(cast(bytes, part.get_payload(decode=True))).decode()
                picture = f"data:{part.get_content_type()};base64,{content}"
                page = page.replace(f"cid:{reference.strip('<>')}", picture)
        return page

    def json(self) -> dict[str, Any]:
        """The mail as `GET /_local/emails` tells it."""
        return {
            "id": self.id,
            "to": ", ".join(self.to),
            "from": str(self.message["From"]),
            "subject": str(self.message["Subject"]),
            "text": self.text,
            "html": self.html,
            "sentAt": self.sent_at,
            "provider": self.provider,
            # Pictures inside the HTML count too: a mail program offers them for saving.
            "attachments": [name for part in self.message.walk() if (name := part.get_filename())],
        }

    def _body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return part.get_content() if part else ""


class Mails:
    """The folder of mails, newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def to(self, address: str | None, limit: int) -> list[Mail]:
        """The newest mails to this address, or to anybody."""
        found: list[Mail] = []
        for file in self._newest():
            recipients = _envelope(file)["to"]
            if address is None or address.casefold() in (recipient.casefold() for recipient in recipients):
                found.append(_read(file))
                if len(found) == limit:
                    break
        return found

    def one(self, id_: str) -> Mail | None:
        """The mail with this id."""
        return next((_read(file) for file in self._newest() if _envelope(file)["id"] == id_), None)

    def _newest(self) -> Iterator[Path]:
        """Envelopes, whose names begin with the time."""
        yield from sorted(self._folder.glob("*.json"), reverse=True)


@functools.lru_cache(maxsize=20_000)
def _envelope(file: Path) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(file.read_text()))


@functools.lru_cache(maxsize=500)
def _read(file: Path) -> Mail:
    envelope = _envelope(file)
    message = email.message_from_bytes(file.with_suffix(".eml").read_bytes(), policy=email.policy.default)
    return Mail(
        envelope["id"], envelope["sentAt"], tuple(envelope["to"]), message, envelope.get("provider", "ses")
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
