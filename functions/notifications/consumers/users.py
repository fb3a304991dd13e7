"""Queue notifications-users: what auth says of its users."""

from functions.notifications import mails, people, recipients, suppressions, wanted
from functions.notifications.database import database
from shared import privacy
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import (
    ExportReady,
    ExportRequested,
    PasswordResetRequested,
    UserChanged,
    UserErased,
    VerificationRequested,
)
from shared.database import Sql

consumer = Consumer(database, "notifications-users")


@consumer.on(UserChanged)
def remember(message: Message[UserChanged], sql: Sql) -> None:
    """Keep the address, unless ours is newer."""
    recipients.remember(sql, message.data, version=message.version, changed_at=message.time)


@consumer.on(VerificationRequested)
def mail_verification(message: Message[VerificationRequested], sql: Sql) -> None:
    """Mail the link that proves the address; one that bounced long ago is tried again."""
    suppressions.try_again(sql, message.data.email, now())
    mails.ask(sql, wanted.verification(message.data, message.id), now())


@consumer.on(PasswordResetRequested)
def mail_password_reset(message: Message[PasswordResetRequested], sql: Sql) -> None:
    """Mail the link that sets a new password."""
    mails.ask(sql, wanted.password_reset(message.data, message.id), now())


@consumer.on_call(ExportRequested)
def export(message: Message[ExportRequested]) -> None:
    """Write what is held."""
    privacy.export(database, message.data, people.held)


@consumer.on(ExportReady)
def mail_export(message: Message[ExportReady], sql: Sql) -> None:
    """Mail the link to an export."""
    mails.ask(sql, wanted.export_ready(message.data), now())


@consumer.on(UserErased)
def erase(message: Message[UserErased], sql: Sql) -> None:
    """Forget the user, and say so one last time."""
    people.erase(sql, message.data, erased_at=message.time, at=now())


handler = consumer.handler
