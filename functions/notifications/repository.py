"""All SQL of the notification service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.notifications.models import Text
from shared.database import Row, Sql

# ---- recipients


def save_recipient(
    sql: Sql,
    *,
    user_id: UUID,
    email: str,
    first_name: str,
    last_name: str,
    version: int,
    changed_at: datetime,
) -> bool:
    """Keep what auth said of a user, unless the user was erased or something newer is kept (messages may arrive in any
    order).
    """
    return (
        sql.run(
            """
            INSERT INTO recipients (user_id, email, first_name, last_name, version, changed_at)
            VALUES (%(user_id)s, %(email)s, %(first_name)s, %(last_name)s, %(version)s, %(changed_at)s)
            ON CONFLICT (user_id) DO UPDATE
               SET email = EXCLUDED.email, first_name = EXCLUDED.first_name, last_name = EXCLUDED.last_name,
                   version = EXCLUDED.version, changed_at = EXCLUDED.changed_at
             WHERE recipients.erased_at IS NULL
               AND (recipients.version, recipients.changed_at) < (EXCLUDED.version, EXCLUDED.changed_at)
            """,
            user_id=user_id,
            email=email,
            first_name=first_name,
            last_name=last_name,
            version=version,
            changed_at=changed_at,
        )
        == 1
    )


def recipient(sql: Sql, user_id: UUID | None) -> Row | None:
    """The address and the names kept for a user."""
    return sql.one(
        """
        SELECT email, first_name, last_name FROM recipients WHERE user_id = %(user_id)s AND erased_at IS NULL
        """,
        user_id=user_id,
    )


# ---- templates


def template(sql: Sql, name: str) -> Row | None:
    """A template by its name."""
    return sql.one("SELECT * FROM notification_templates WHERE name = %(name)s", name=name)


def save_template(sql: Sql, text: Text, *, built_in_sha256: str | None, at: datetime) -> Row | None:
    """Write a template, over one of the same name if there is one; `created` in the row tells which.

    One of our own (with a digest) is written over no admin's: None then.
    """
    return sql.one(
        """
        INSERT INTO notification_templates (name, subject, html_content, text_content, built_in_sha256,
                                            created_at, updated_at)
        VALUES (%(name)s, %(subject)s, %(html)s, %(text)s, %(built_in_sha256)s, %(at)s, %(at)s)
        ON CONFLICT (name) DO UPDATE
           SET subject = EXCLUDED.subject, html_content = EXCLUDED.html_content,
               text_content = EXCLUDED.text_content, built_in_sha256 = EXCLUDED.built_in_sha256,
               updated_at = EXCLUDED.updated_at
         WHERE notification_templates.built_in_sha256 IS NOT NULL OR EXCLUDED.built_in_sha256 IS NULL
        RETURNING *, xmax = 0 AS created
        """,
        name=text.name,
        subject=text.subject,
        html=text.html,
        text=text.text,
        built_in_sha256=built_in_sha256,
        at=at,
    )


def templates_after(sql: Sql, name: str, limit: int) -> list[Row]:
    """Templates by name, those after `name`."""
    return sql.all(
        "SELECT * FROM notification_templates WHERE name > %(name)s ORDER BY name LIMIT %(limit)s",
        name=name,
        limit=limit,
    )


# ---- notifications


def add_notification(
    sql: Sql,
    *,
    mail_key: str,
    template_id: UUID,
    user_id: UUID | None,
    recipient_email: str | None,
    order_id: UUID | None,
    data: dict[str, Any],
    at: datetime,
    due_at: datetime,
) -> Row | None:
    """Record that a mail is wanted: id, and status, for one to somebody who was erased is given up at once.

    None if its key says that it is recorded already.
    """
    return sql.one(
        """
        INSERT INTO notifications (mail_key, template_id, user_id, recipient_email, order_id, data,
                                   due_at, created_at, updated_at)
        VALUES (%(mail_key)s, %(template_id)s, %(user_id)s, %(recipient_email)s, %(order_id)s, %(data)s,
                %(due_at)s, %(at)s, %(at)s)
        ON CONFLICT (mail_key) DO NOTHING
        RETURNING id, status
        """,
        mail_key=mail_key,
        template_id=template_id,
        user_id=user_id,
        recipient_email=recipient_email,
        order_id=order_id,
        data=data,
        at=at,
        due_at=due_at,
    )


def claim_notification(sql: Sql, mail_key: str, *, at: datetime, until: datetime) -> Row | None:
    """Become the only sender of a pending mail for a while.

    The row's lock and the lease make it one sender at a time; None if the mail is done, or another one's now.
    A mail to somebody who was erased meanwhile comes back as FAILED: it is not to be sent.
    """
    return sql.one(
        """
        UPDATE notifications
           SET claimed_until = %(until)s, attempts = attempts + 1, updated_at = %(at)s
         WHERE mail_key = %(mail_key)s AND status = 'PENDING'
           AND (claimed_until IS NULL OR claimed_until <= %(at)s)
        RETURNING id, user_id, order_id, recipient_email, data, attempts, created_at, status
        """,
        mail_key=mail_key,
        at=at,
        until=until,
    )


def claimed_until(sql: Sql, mail_key: str) -> datetime | None:
    """Until when somebody has the pending mail with this key; a time that is over, if it was just given back."""
    row = sql.one(
        """
        SELECT coalesce(claimed_until, updated_at) AS until FROM notifications
         WHERE mail_key = %(mail_key)s AND status = 'PENDING'
        """,
        mail_key=mail_key,
    )
    return row["until"] if row else None


def notification(sql: Sql, id: UUID) -> Row | None:
    """A mail and what became of it."""
    return sql.one(
        """
        SELECT id, user_id, status, delivery_status, sent_at, error_message
          FROM notifications WHERE id = %(id)s
        """,
        id=id,
    )


def mark_sent(
    sql: Sql, id: UUID, *, recipient_email: str, subject: str, provider: str, message_id: str, at: datetime
) -> bool:
    """The provider has taken the mail; its data is blanked. False if that was recorded already."""
    return (
        sql.run(
            """
            UPDATE notifications
               SET status = 'SENT', delivery_status = 'SENT', sent_at = %(at)s, updated_at = %(at)s,
                   recipient_email = %(recipient_email)s, subject = %(subject)s, provider = %(provider)s,
                   message_id = %(message_id)s, data = NULL, error_message = NULL
             WHERE id = %(id)s AND status = 'PENDING'
            """,
            id=id,
            recipient_email=recipient_email,
            subject=subject,
            provider=provider,
            message_id=message_id,
            at=at,
        )
        == 1
    )


def reopen(sql: Sql, id: UUID) -> None:
    """A (locked) mail that was given up has come all the same: the caller says in this transaction that it was sent."""
    sql.run(
        """
        UPDATE notifications SET status = 'PENDING', data = '{}'
         WHERE id = %(id)s AND status = 'FAILED' AND delivery_status IS NULL
        """,
        id=id,
    )


def mark_failed(sql: Sql, id: UUID, *, reason: str, at: datetime, delivery_status: str | None = None) -> bool:
    """The mail is given up, for this reason. False if it was sent or given up already."""
    return (
        sql.run(
            """
            UPDATE notifications
               SET status = 'FAILED', error_message = %(reason)s, delivery_status = %(delivery_status)s,
                   data = NULL, updated_at = %(at)s
             WHERE id = %(id)s AND status = 'PENDING'
            """,
            id=id,
            reason=reason,
            delivery_status=delivery_status,
            at=at,
        )
        == 1
    )


def postpone(
    sql: Sql, id: UUID, *, reason: str, at: datetime, due_at: datetime, claimed_until: datetime | None
) -> None:
    """The mail could not be sent now: have the job ask for it again at `due_at`.

    The claim is given back, unless nobody is to send it before `claimed_until`.
    """
    sql.run(
        """
        UPDATE notifications
           SET claimed_until = %(claimed_until)s, due_at = %(due_at)s, error_message = %(reason)s,
               updated_at = %(at)s
         WHERE id = %(id)s AND status = 'PENDING'
        """,
        id=id,
        reason=reason,
        at=at,
        due_at=due_at,
        claimed_until=claimed_until,
    )


def take_due(
    sql: Sql, *, at: datetime, again_at: datetime, asked_before: datetime | None, limit: int
) -> list[Row]:
    """Pending mails that nobody is sending and that are due, the longest waiting first.

    They are not due again before `again_at`. With `asked_before`, also those not due that were asked for before it.
    Rows that another run holds are passed over.
    """
    return sql.all(
        """
        UPDATE notifications SET due_at = %(again_at)s, updated_at = %(at)s
         WHERE id IN (
            SELECT id FROM notifications
             WHERE status = 'PENDING' AND (due_at <= %(at)s OR created_at <= %(asked_before)s)
               AND (claimed_until IS NULL OR claimed_until <= %(at)s)
             ORDER BY due_at LIMIT %(limit)s
               FOR UPDATE SKIP LOCKED)
        RETURNING id, mail_key, user_id, recipient_email, order_id,
                  (SELECT t.name FROM notification_templates t WHERE t.id = template_id) AS template_name
        """,
        at=at,
        again_at=again_at,
        asked_before=asked_before,
        limit=limit,
    )
