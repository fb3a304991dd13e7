"""Notifications with a real database, and an account with SNS, SQS and SES."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.clock import iso
from shared.contracts import Contract
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase

SENDER = "Box Office <tickets@box-office.example>"
SITE = "https://www.box-office.example"

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
def post(notifications_db: TestDatabase, aws: Cloud, extension: Extension) -> Post:
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
    return Post(aws)


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
