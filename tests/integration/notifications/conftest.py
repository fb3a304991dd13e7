"""Notifications with a real database, and an account with SNS, SQS and SES."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.notifications import providers, settings
from functions.notifications.cache import cache
from local.aws_server import AwsServer
from local.console.mails import Mails
from local.faults import Fault, Faults
from local.sendgrid_simulator import PATH, SendGrid
from shared.clock import iso
from shared.contracts import Contract
from shared.settings import Setting
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase

SENDER = "Box Office <tickets@box-office.example>"
SITE = "https://www.box-office.example"
SENDGRID_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:sendgrid"

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Post:
    """Messages handed to a consumer as SQS does, and the mails that SES was given."""

    def __init__(self, aws: Cloud) -> None:
        self._aws = aws

    def deliver(
        self,
        handler: Handler,
        queue: str,
        message: Contract,
        *,
        id: UUID | None = None,
        version: int = 1,
        time: datetime | None = None,
    ) -> bool:
        """Hand a message to a consumer; whether it is done with it."""
        envelope = {
            "specversion": "1.0",
            "id": str(id or uuid4()),
            "type": message.TYPE,
            "subject": str(uuid4()),
            "sequence": version,
            "time": iso(time or datetime.now(UTC)),
            "data": message.model_dump(mode="json", by_alias=True),
        }
        return self._hand_over(handler, queue, [envelope])

    def forward(self, handler: Handler, queue: str) -> bool:
        """Hand everything that was sent to `queue` to its consumer; whether it is done with all of it."""
        return self._hand_over(handler, queue, self._aws.messages(queue))

    def sent(self) -> list[EmailMessage]:
        """The mails that SES was given, oldest first, as their recipient's mail program reads them."""
        return self._aws.mails()

    def _hand_over(self, handler: Handler, queue: str, envelopes: list[dict[str, Any]]) -> bool:
        records = [self._aws.record(queue, envelope) for envelope in envelopes]
        answer = handler({"Records": records}, None) if records else {"batchItemFailures": []}
        return not answer["batchItemFailures"]


@pytest.fixture
def post(
    notifications_db: TestDatabase, aws: Cloud, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> Post:
    """The service's surroundings: its topic, the mail queue, a verified sender, its settings."""
    aws.topic("notifications")
    aws.queue("mail")
    aws.accept_mail_from("tickets@box-office.example")
    extension.parameters |= {
        "public_url": SITE,
        "mail_from": SENDER,
        "resend_after_seconds": "60",
        "resend_limit": "200",
        "mail_give_up_hours": "24",
        "idempotency_hours": "24",
    }
    for setting in vars(settings).values():
        if isinstance(setting, Setting):
            extension.parameters.setdefault(setting.name, str(setting.default))
            setting._value = None
    monkeypatch.setenv("SENDGRID_SECRET_ARN", SENDGRID_SECRET_ARN)
    extension.secrets[SENDGRID_SECRET_ARN] = {"apiKey": "", "webhookPublicKey": ""}
    providers.forget_circuits()
    cache.reset()
    return Post(aws)


class BackUp:
    """A simulated SendGrid that is configured: what it took, and what goes wrong at it."""

    def __init__(self, folder: Path, faults: Faults, url: str) -> None:
        self._mails, self._faults, self.url = Mails(folder), faults, url

    def taken(self) -> list[EmailMessage]:
        """The mails that it took, oldest first."""
        return [mail.message for mail in reversed(self._mails.to(None, 100))]

    def fails(self, mode: str = "error", times: int | None = None) -> None:
        """The next mails fail in this way; see `local.faults.Fault`."""
        self._faults.add([Fault("sendgrid", mode, times)])

    def recovers(self) -> None:
        """It works again."""
        self._faults.clear()


@pytest.fixture
def back_up(post: Post, extension: Extension, tmp_path: Path) -> Iterator[BackUp]:
    """SendGrid, when SES does not work."""
    faults = Faults()
    server = AwsServer(0, lambda environ, start: [b""], faults, SendGrid(tmp_path, faults))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}{PATH}"
    extension.secrets[SENDGRID_SECRET_ARN] |= {"apiKey": "SG.test", "apiBase": url}
    yield BackUp(tmp_path, faults, url)
    server.shutdown()
    server.server_close()


@pytest.fixture
def ada(notifications_db: TestDatabase) -> UUID:
    """A user whose address auth has told us."""
    id = uuid4()
    notifications_db.run(
        """
        INSERT INTO recipients (user_id, email, first_name, last_name, version, changed_at)
        VALUES (%(id)s, 'ada@example.com', 'Ada', 'Lovelace', 1, now())
        """,
        id=id,
    )
    return id
