"""What notifications receives, answers, and passes along inside."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import EmailStr, Field, model_validator

from shared.wire import Answer, Body, Instant

TemplateName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]


class SendRequest(Body):
    """POST /api/notifications/send: to a user, or to any address."""

    template_name: TemplateName
    user_id: UUID | None = None
    recipient_email: Annotated[EmailStr, Field(max_length=255)] | None = None
    data: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_recipient(self) -> "SendRequest":
        if (self.user_id is None) == (self.recipient_email is None):
            raise ValueError("Give either userId or recipientEmail")
        return self


class SendAccepted(Answer):
    """The mail is on its way; its status can be asked for."""

    notification_id: UUID


class NotificationStatus(Answer):
    """GET /api/notifications/status/{id}."""

    id: UUID
    status: str
    delivery_status: str | None
    sent_at: Instant | None
    error_message: str | None


class WebhookAnswer(Answer):
    """What a provider gets for a report that is on record."""

    received: bool = True


class TemplateRequest(Body):
    """POST /api/notifications/templates: a new template, or another text for one there is."""

    name: TemplateName
    subject: Annotated[str, Field(min_length=1, max_length=255)]
    html_content: Annotated[str, Field(min_length=1, max_length=200_000)]
    text_content: Annotated[str, Field(min_length=1, max_length=100_000)]


class TemplateAnswer(Answer):
    """A template as admins see it; `built_in` while it is our own text."""

    id: UUID
    name: str
    subject: str
    html_content: str
    text_content: str
    built_in: bool
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True)
class Text:
    """The three parts of a template, before they are rendered; `ours` came with the code, others are an admin's."""

    name: str
    subject: str
    html: str
    text: str
    ours: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture that the HTML part shows by its content id."""

    content_id: str
    file_name: str
    png: bytes


@dataclass(frozen=True)
class Rendered:
    """A template filled in."""

    subject: str
    html: str
    text: str
    pictures: list[Picture]


@dataclass(frozen=True)
class Notification:
    """A mail that this process has claimed, and is the only one to send."""

    id: UUID
    user_id: UUID | None
    order_id: UUID | None
    recipient_email: str | None
    suppressed: str | None  # why nothing is sent to that address
    template: Text
    data: dict[str, Any]
    created_at: datetime
    attempts: int


@dataclass(frozen=True)
class Taken:
    """A provider has taken a mail, and calls it by this id."""

    provider: str
    message_id: str


class Happened(StrEnum):
    """What a provider tells of a mail that it took."""

    TAKEN = "TAKEN"
    DELIVERED = "DELIVERED"
    NOTED = "NOTED"  # a delay, a full mailbox: it may pass, and is written down
    BOUNCED = "BOUNCED"  # for good: nobody has this address
    UNDELIVERED = (
        "UNDELIVERED"  # this mail, for a reason that lies in the mail or the moment, not in the address
    )
    COMPLAINED = "COMPLAINED"  # its recipient called it spam


@dataclass(frozen=True)
class Report:
    """What a provider tells of one mail. `reason` is in words that its recipient may read."""

    notification_id: UUID
    provider: str
    message_id: str
    happened: Happened
    at: datetime
    reason: str | None = None
