"""SQL of what became of mails after a provider took them, and of the addresses that nothing more is sent to."""

from datetime import datetime
from uuid import UUID

from shared.database import Row, Sql

# ---- deliveries


def lock_mail(sql: Sql, id: UUID) -> Row | None:
    """A mail with the name of its template; nobody else changes it before this transaction ends."""
    return sql.one(
        """
        SELECT n.id, n.user_id, n.order_id, n.recipient_email, n.status, n.delivery_status, n.error_message,
               n.created_at, t.name AS template_name
          FROM notifications n JOIN notification_templates t ON t.id = n.template_id
         WHERE n.id = %(id)s
           FOR UPDATE OF n
        """,
        id=id,
    )


def set_delivery(sql: Sql, id: UUID, *, delivery_status: str, note: str | None, at: datetime) -> None:
    """What became of a mail that was sent; `note` replaces what was noted of it before."""
    sql.run(
        """
        UPDATE notifications
           SET delivery_status = %(delivery_status)s, error_message = %(note)s, updated_at = %(at)s
         WHERE id = %(id)s AND status = 'SENT'
        """,
        id=id,
        delivery_status=delivery_status,
        note=note,
        at=at,
    )


# ---- suppressed addresses


def suppress(sql: Sql, email: str, *, reason: str, notification_id: UUID, at: datetime) -> None:
    """Send nothing more to an address (in lower case). A complaint outweighs a bounce; what is known stays known."""
    sql.run(
        """
        INSERT INTO suppressed_addresses (email, reason, notification_id, suppressed_at)
        VALUES (%(email)s, %(reason)s, %(notification_id)s, %(at)s)
        ON CONFLICT (email) DO UPDATE
           SET reason = EXCLUDED.reason, notification_id = EXCLUDED.notification_id,
               suppressed_at = EXCLUDED.suppressed_at
         WHERE suppressed_addresses.reason = 'BOUNCED' AND EXCLUDED.reason = 'COMPLAINED'
        """,
        email=email,
        reason=reason,
        notification_id=notification_id,
        at=at,
    )


def suppression(sql: Sql, email: str) -> str | None:
    """Why nothing is sent to this address (in lower case); None if it is."""
    row = sql.one("SELECT reason FROM suppressed_addresses WHERE email = %(email)s", email=email)
    return row["reason"] if row else None


def lift(sql: Sql, email: str) -> bool:
    """Send to this address (in lower case) again. False if it was not suppressed."""
    return sql.run("DELETE FROM suppressed_addresses WHERE email = %(email)s", email=email) == 1


def lift_bounce(sql: Sql, email: str, *, before: datetime) -> bool:
    """Send to this address (in lower case) again if it bounced, and did so before that."""
    return (
        sql.run(
            """
            DELETE FROM suppressed_addresses
             WHERE email = %(email)s AND reason = 'BOUNCED' AND suppressed_at < %(before)s
            """,
            email=email,
            before=before,
        )
        == 1
    )
