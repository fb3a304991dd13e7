"""A mail from being wanted to being sent: once per key, and never lost."""

from datetime import datetime, timedelta
from math import ceil
from typing import Protocol
from uuid import UUID

from functions.notifications import mime, recipients, repository, suppressions, templates
from functions.notifications.gateways.failures import LeftAlone, MailRefused, PerhapsTaken
from functions.notifications.models import Notification, Taken
from functions.notifications.rendering import DoesNotRender, render
from functions.notifications.settings import GIVE_UP_HOURS, MAIL_FROM, RESEND_AFTER_SECONDS, RESEND_LIMIT
from shared import outbox, parameters
from shared.clock import now
from shared.contracts import MailRequested, MailStatusChanged
from shared.database import Database, Row, Sql
from shared.errors import AppError

QUEUE = "mail"

# Longer than sending can take: the time-outs of both providers, and the rendering.
CLAIM = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


class BeingSent(Exception):
    """Another process is sending this mail, or a provider that did not answer may have it; ask again later.

    Tries before a claim is over would be in vain, and the last one would make a dead letter of a mail that is being
    sent.
    """

    def __init__(self, mail_key: str, claimed_for: timedelta) -> None:
        super().__init__(mail_key)
        self.retry_after = ceil(max(claimed_for, CLAIM).total_seconds())


class NoAddress(Exception):
    """Auth has not told us the user's address yet."""


class Send(Protocol):
    """The providers; see `providers.send`."""

    def __call__(self, mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken: ...


def ask(sql: Sql, wanted: MailRequested, at: datetime) -> UUID | None:
    """Record that a mail is wanted, and have the mail queue send it; None if its key has been recorded before, or the
    recipient was erased.

    What the template needs stays in the record: the message carries the key alone.

    Raises:
        UnknownTemplate: there is no such template.
    """
    id = _record(sql, wanted, templates.find(sql, wanted.template, at), at)
    if id is not None:
        outbox.send(sql, QUEUE, wanted.model_copy(update={"data": {}}), subject=id)
    return id


def deliver(database: Database, wanted: MailRequested, send: Send) -> None:
    """Send a mail, unless it has been sent: record it, hand it to the provider outside any transaction, record that.

    A process that dies between the provider's acceptance and our record makes a second mail with the same Message-ID;
    so does an answer of the provider's that is lost and of which its events do not tell within a minute. Nothing else
    does.

    Raises:
        BeingSent: somebody else is at it.
        Exception: it could not be sent now; the queue, and later the resend job, ask again.
    """
    notification = _claim(database, wanted)
    if notification is None:
        return
    try:
        sent = _hand_over(notification, send)
    except suppressions.Suppressed as suppressed:
        _give_up(database, notification, suppressed.reason, delivery_status="SUPPRESSED")
    except (MailRefused, mime.BadAddress) as final:
        _give_up(database, notification, _reason(final))
    except Exception as broken:
        if notification.created_at < now() - timedelta(hours=GIVE_UP_HOURS()):
            _give_up(database, notification, _reason(broken))
            return
        _postpone(database, notification, broken)
        # Who did not answer may have the mail and tells by an event: the job asks again in a minute, not the queue.
        if not isinstance(broken, PerhapsTaken):
            raise
    else:
        with database.transaction() as sql:
            if repository.mark_sent(sql, notification.id, at=now(), **sent):
                _tell(sql, notification, "SENT", "SENT")


def resend(database: Database, older_than_seconds: int | None = None) -> int:
    """Put mails that were not sent in time on the queue again; how many.

    Args:
        older_than_seconds: take also those that are not due yet but were asked for so long ago.
    """
    at = now()
    with database.transaction() as sql:
        due = repository.take_due(
            sql,
            at=at,
            again_at=at + timedelta(seconds=RESEND_AFTER_SECONDS()),
            asked_before=None if older_than_seconds is None else at - timedelta(seconds=older_than_seconds),
            limit=RESEND_LIMIT(),
        )
        for row in due:
            outbox.send(sql, QUEUE, _asked_again(row), subject=row["id"])
    return len(due)


def _asked_again(row: Row) -> MailRequested:
    return MailRequested(
        mail_key=row["mail_key"],
        template=row["template_name"],
        user_id=row["user_id"],
        recipient_email=row["recipient_email"],
        order_id=row["order_id"],
        data={},
    )


def tell_given_up(
    sql: Sql, id: UUID, user_id: UUID | None, order_id: UUID | None, template: str, *, asked_at: datetime
) -> None:
    """Tell whoever waits for a mail that it will not be sent: its recipient was erased."""
    changed = MailStatusChanged(
        notification_id=id,
        user_id=user_id,
        order_id=order_id,
        template=template,
        status="FAILED",
        asked_at=asked_at,
    )
    outbox.publish(sql, changed, subject=id)


def _record(sql: Sql, wanted: MailRequested, template: Row, at: datetime) -> UUID | None:
    """Record a mail that was not recorded before; its id, unless there is nothing to send."""
    row = repository.add_notification(
        sql,
        mail_key=wanted.mail_key,
        template_id=template["id"],
        user_id=wanted.user_id,
        recipient_email=wanted.recipient_email,
        order_id=wanted.order_id,
        data=wanted.data,
        at=at,
        due_at=at + timedelta(seconds=RESEND_AFTER_SECONDS()),
    )
    if row is None:
        return None
    if row["status"] == "FAILED":
        tell_given_up(sql, row["id"], wanted.user_id, wanted.order_id, wanted.template, asked_at=at)
        return None
    id: UUID = row["id"]
    return id


def _claim(database: Database, wanted: MailRequested) -> Notification | None:
    at = now()
    with database.transaction() as sql:
        template = templates.find(sql, wanted.template, at)
        _record(sql, wanted, template, at)
        row = repository.claim_notification(sql, wanted.mail_key, at=at, until=at + CLAIM)
        if row is None:
            claimed_until = repository.claimed_until(sql, wanted.mail_key)
            if claimed_until is not None:
                raise BeingSent(wanted.mail_key, claimed_until - at)
            return None
        if row["status"] == "FAILED":  # the recipient was erased meanwhile
            asked_at = row["created_at"]
            tell_given_up(sql, row["id"], row["user_id"], row["order_id"], wanted.template, asked_at=asked_at)
            return None
        person = repository.recipient(sql, row["user_id"]) or {"email": None, "first_name": ""}
        address = row["recipient_email"] or person["email"]
        suppressed = suppressions.of(sql, address)
    data = {"firstName": person["first_name"]} | row["data"]
    return Notification(
        id=row["id"],
        user_id=row["user_id"],
        order_id=row["order_id"],
        recipient_email=address,
        suppressed=suppressed,
        template=templates.text_of(template),
        data=data | {"firstName": recipients.greeting(str(data["firstName"] or ""))},
        created_at=row["created_at"],
        attempts=row["attempts"],
    )


def _hand_over(notification: Notification, send: Send) -> dict[str, str]:
    """Render and send; what is to be recorded of it.

    Raises:
        NoAddress, Suppressed: there is no address, or none that anything is sent to.
    """
    if notification.recipient_email is None:
        raise NoAddress()
    if notification.suppressed is not None:
        raise suppressions.Suppressed(notification.suppressed)
    order_id = notification.order_id and str(notification.order_id)
    told = {"publicUrl": parameters.parameter("public_url").rstrip("/"), "orderId": order_id}
    rendered = render(notification.template, notification.data | told)
    sender, recipient = mime.address(MAIL_FROM()), mime.address(notification.recipient_email)
    mail = mime.compose(
        notification.id, rendered, sender=sender, recipient=recipient, date=notification.created_at
    )
    taken = send(mail, id=notification.id, sender=sender.addr_spec, recipient=recipient.addr_spec)
    return {
        "recipient_email": notification.recipient_email,
        "subject": rendered.subject,
        "provider": taken.provider,
        "message_id": taken.message_id,
    }


def _give_up(
    database: Database, notification: Notification, reason: str, delivery_status: str | None = None
) -> None:
    with database.transaction() as sql:
        if repository.mark_failed(
            sql, notification.id, reason=reason, delivery_status=delivery_status, at=now()
        ):
            _tell(sql, notification, "FAILED", delivery_status)


def _postpone(database: Database, notification: Notification, broken: Exception) -> None:
    """The pauses grow with the tries; where nobody was asked there was none."""
    at, once = now(), timedelta(seconds=RESEND_AFTER_SECONDS())
    pause = once if isinstance(broken, LeftAlone) else once * 2 ** min(notification.attempts - 1, 10)
    with database.transaction() as sql:
        repository.postpone(
            sql,
            notification.id,
            reason=_reason(broken),
            at=at,
            due_at=at + min(pause, LONGEST_PAUSE),
            # The message may come twice, and its copy would send what the provider may have. As long as an event of
            # the provider's is waited for, however long the pauses have grown.
            claimed_until=at + once if isinstance(broken, PerhapsTaken) else None,
        )


def _tell(sql: Sql, notification: Notification, status: str, delivery_status: str | None) -> None:
    outbox.publish(
        sql,
        MailStatusChanged(
            notification_id=notification.id,
            user_id=notification.user_id,
            order_id=notification.order_id,
            template=notification.template.name,
            status=status,
            delivery_status=delivery_status,
            asked_at=notification.created_at,
        ),
        subject=notification.id,
    )


def _reason(error: Exception) -> str:
    """Why a mail was not sent, in words that its recipient may read."""
    if isinstance(error, AppError):
        return error.message
    if isinstance(error, MailRefused):
        return error.reason
    if isinstance(error, DoesNotRender):
        return f"The template's {error.part} does not render"
    known: dict[type[Exception], str] = {
        NoAddress: "The recipient's address is not known yet",
        mime.BadAddress: "The recipient's address is not a valid one",
    }
    return known.get(type(error), "The mail could not be sent")


__all__ = ["BeingSent", "NoAddress", "Send", "ask", "deliver", "resend"]
