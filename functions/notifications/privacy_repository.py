"""SQL of what notifications holds on a user, and of what it forgets."""

from datetime import datetime
from uuid import UUID

from shared.database import Row, Sql
from shared.privacy import ERASED_EMAIL

# What an export has of each table; tokens of links that are still to be mailed are taken out.
HELD = {
    "recipient": "SELECT to_jsonb(r) AS record FROM recipients r WHERE user_id = %(user_id)s",
    "mails": """
        SELECT to_jsonb(n) #- '{data,token}' || jsonb_build_object('template', t.name) AS record
          FROM notifications n JOIN notification_templates t ON t.id = n.template_id
         WHERE n.user_id = %(user_id)s
            OR (n.user_id IS NULL AND lower(n.recipient_email) =
                (SELECT lower(r.email) FROM recipients r WHERE r.user_id = %(user_id)s))
         ORDER BY n.created_at""",
    "suppressedAddress": """
        SELECT to_jsonb(s) AS record FROM suppressed_addresses s
          JOIN recipients r ON lower(r.email) = s.email WHERE r.user_id = %(user_id)s""",
}


def forget_recipient(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Take the person out of the address book. The row is written even if there was none, for the unique key then
    meets whatever message about the user comes at the same time or later.
    """
    sql.run(
        """
        INSERT INTO recipients (user_id, email, first_name, last_name, version, changed_at, erased_at)
        VALUES (%(user_id)s, %(nobody)s, '', '', 0, %(at)s, %(at)s)
        ON CONFLICT (user_id) DO UPDATE
           SET email = EXCLUDED.email, first_name = '', last_name = '', erased_at = %(at)s
        """,
        user_id=user_id,
        nobody=ERASED_EMAIL,
        at=at,
    )


def unsent(sql: Sql, user_id: UUID, email: str, asked_until: datetime) -> list[Row]:
    """Mails to the user, or asked for by the address alone, that were not sent yet, locked."""
    return sql.all(
        """
        SELECT id, order_id, user_id, created_at,
               (SELECT t.name FROM notification_templates t WHERE t.id = template_id) AS template_name
          FROM notifications
         WHERE status = 'PENDING'
           AND (user_id = %(user_id)s
                OR (user_id IS NULL AND lower(recipient_email) = %(email)s AND created_at <= %(until)s))
         ORDER BY id FOR UPDATE
        """,
        user_id=user_id,
        email=email,
        until=asked_until,
    )


def forget_mails(sql: Sql, user_id: UUID) -> None:
    """Take the person out of mails to the user; the trigger `notifications_forget_recipient` says how."""
    sql.run("UPDATE notifications SET updated_at = updated_at WHERE user_id = %(user_id)s", user_id=user_id)


def forget_mails_to(sql: Sql, email: str, asked_until: datetime) -> None:
    """Take the person out of mails that were asked for by the address alone, before it was given up."""
    sql.run(
        """
        UPDATE notifications
           SET status = CASE status WHEN 'SENT' THEN 'SENT' ELSE 'FAILED' END, data = NULL, subject = '',
               recipient_email = %(nobody)s,
               error_message = CASE status WHEN 'SENT' THEN NULL ELSE 'The recipient has been erased' END
         WHERE user_id IS NULL AND lower(recipient_email) = %(email)s AND created_at <= %(until)s
        """,
        email=email,
        nobody=ERASED_EMAIL,
        until=asked_until,
    )
