"""What notifications is told, and what it tells the others."""

from typing import Any, ClassVar
from uuid import UUID

from shared.contracts.base import Contract
from shared.wire import Instant


class MailRequested(Contract):
    """Command to the mail queue: render this template and send it.

    `mail_key` makes it one mail however often it is asked for; `recipient_email` is given when it may differ from the
    address that notifications keeps for `user_id`, or when the address is nobody's we know.
    """

    TYPE: ClassVar[str] = "notifications.mail_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    mail_key: str
    template: str
    user_id: UUID | None
    recipient_email: str | None = None
    order_id: UUID | None = None
    data: dict[str, Any]


class MailStatusChanged(Contract):
    """A mail was sent, delivered, bounced, or given up.

    `asked_at` is when the mail was asked for: of two mails it tells which is the newer, however late news of them come.
    None in a message from before it was told.
    """

    TYPE: ClassVar[str] = "notifications.mail_status_changed.v1"
    notification_id: UUID
    user_id: UUID | None
    order_id: UUID | None
    template: str
    status: str
    delivery_status: str | None = None
    asked_at: Instant | None = None
