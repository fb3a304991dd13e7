"""SQL of exports, of what auth holds on a user, and of what it forgets."""

from datetime import datetime
from uuid import UUID

from shared.database import Row, Sql
from shared.identity import Role
from shared.retention import forget

# What an export has of each table: everything but what opens something.
HELD = {
    "profile": "SELECT to_jsonb(u) - 'password_hash' AS record FROM users u WHERE id = %(user_id)s",
    "sessions": """
        SELECT to_jsonb(s) - 'token_hash' AS record FROM user_sessions s
         WHERE user_id = %(user_id)s ORDER BY created_at""",
    "usedRefreshTokens": """
        SELECT to_jsonb(t) - 'token_hash' AS record FROM used_refresh_tokens t
          JOIN user_sessions s ON s.id = t.session_id WHERE s.user_id = %(user_id)s ORDER BY t.used_at""",
    "mailedLinks": """
        SELECT to_jsonb(t) - 'token_hash' AS record FROM email_tokens t
         WHERE user_id = %(user_id)s ORDER BY created_at""",
    "failedSignIns": """
        SELECT to_jsonb(f) - 'account' AS record FROM sign_in_failures f
          JOIN users u ON f.account = encode(sha256(convert_to(u.email, 'UTF8')), 'hex')
         WHERE u.id = %(user_id)s ORDER BY f.failed_at""",
    "exports": """
        SELECT to_jsonb(e) - 'token_hash' AS record FROM exports e
         WHERE user_id = %(user_id)s ORDER BY requested_at""",
}


# ---- exports


def recent_exports(sql: Sql, user_id: UUID, since: datetime) -> list[datetime]:
    """When the user asked for exports, oldest first."""
    rows = sql.all(
        """
        SELECT requested_at FROM exports WHERE user_id = %(user_id)s AND requested_at > %(since)s
         ORDER BY requested_at
        """,
        user_id=user_id,
        since=since,
    )
    return [row["requested_at"] for row in rows]


def add_export(sql: Sql, export_id: UUID, user_id: UUID, at: datetime) -> bool:
    """A new export; False if one of the user's is open, which a unique index says whoever asks at the same time.

    Also if the user is erased: an erasure under way is waited for, for it would not see an export that begins
    meanwhile, which then nobody could ever finish.
    """
    return (
        sql.run(
            """
            INSERT INTO exports (id, user_id, requested_at, asked_at)
            SELECT %(id)s, id, %(at)s, %(at)s FROM users WHERE id = %(user_id)s AND erased_at IS NULL FOR SHARE
            ON CONFLICT (user_id) WHERE status = 'COLLECTING' DO NOTHING
            """,
            id=export_id,
            user_id=user_id,
            at=at,
        )
        == 1
    )


def add_part(sql: Sql, export_id: UUID, service: str) -> Row | None:
    """The export, with this service's part counted once."""
    return sql.one(
        """
        UPDATE exports SET parts = CASE WHEN %(service)s = ANY(parts) THEN parts ELSE parts || %(service)s::text END
         WHERE id = %(id)s
        RETURNING *
        """,
        id=export_id,
        service=service,
    )


def finish_export(sql: Sql, export_id: UUID, token_hash: str, expires_at: datetime) -> Row | None:
    """The export can be fetched; whose it is. None if that was said before, or it may not be fetched any more."""
    return sql.one(
        """
        UPDATE exports x SET status = 'READY', token_hash = %(token_hash)s, expires_at = %(expires_at)s
          FROM users u
         WHERE x.id = %(id)s AND x.status = 'COLLECTING' AND u.id = x.user_id
        RETURNING u.id AS user_id, u.email, u.first_name
        """,
        id=export_id,
        token_hash=token_hash,
        expires_at=expires_at,
    )


def export_status(sql: Sql, export_id: UUID) -> str | None:
    """How an export stands."""
    row = sql.one("SELECT status FROM exports WHERE id = %(id)s", id=export_id)
    return row["status"] if row else None


def export_of_link(sql: Sql, token_hash: str, at: datetime) -> UUID | None:
    """The export that this link opens, while it does."""
    row = sql.one(
        """
        SELECT id FROM exports WHERE token_hash = %(token_hash)s AND status = 'READY' AND expires_at > %(at)s
        """,
        token_hash=token_hash,
        at=at,
    )
    return row["id"] if row else None


def discard_exports(sql: Sql, user_id: UUID) -> list[UUID]:
    """No export of the user can be fetched any more; their ids."""
    rows = sql.all(
        """
        UPDATE exports SET status = 'DISCARDED', token_hash = NULL, expires_at = NULL
         WHERE user_id = %(user_id)s AND status <> 'DISCARDED'
        RETURNING id
        """,
        user_id=user_id,
    )
    return [row["id"] for row in rows]


def take_unanswered(sql: Sql, *, at: datetime, asked_before: datetime, limit: int) -> list[Row]:
    """Open exports whose services were last asked before this; two runs at the same time take different ones."""
    return sql.all(
        """
        UPDATE exports SET asked_at = %(at)s
         WHERE id IN (
            SELECT id FROM exports WHERE status = 'COLLECTING' AND asked_at <= %(asked_before)s
             ORDER BY asked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id, user_id
        """,
        at=at,
        asked_before=asked_before,
        limit=limit,
    )


def give_up_exports(sql: Sql, requested_before: datetime, limit: int) -> int:
    """Exports that some service never answered, the oldest first; their users may ask anew."""
    return sql.run(
        """
        UPDATE exports SET status = 'FAILED'
         WHERE id IN (
            SELECT id FROM exports WHERE status = 'COLLECTING' AND requested_at <= %(before)s
             ORDER BY requested_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        """,
        before=requested_before,
        limit=limit,
    )


def forget_exports(sql: Sql, requested_before: datetime, limit: int) -> int:
    """Delete the records of exports whose files are long gone, the oldest first; how many."""
    return forget(sql, "exports", "requested_at", requested_before, limit)


# ---- erasure


def lock_admins(sql: Sql) -> list[UUID]:
    """Every admin, locked in the order of ids: of two who want to go at once, the second sees the first gone."""
    rows = sql.all("SELECT id FROM users WHERE role = 'ADMIN' ORDER BY id FOR UPDATE")
    return [row["id"] for row in rows]


def erase_user(
    sql: Sql, user_id: UUID, *, role: Role, password_hash: str, no_password: str, at: datetime
) -> int | None:
    """Take the person out of the account; its version then. None if the password or the role is another one by now:
    somebody may have become the only administrator.

    The id stays, for records that must be kept refer to it; the address is free for a new account.
    """
    row = sql.one(
        """
        UPDATE users SET email = id || '@erased.invalid', password_hash = %(no_password)s, first_name = 'Erased',
                         last_name = 'Erased', date_of_birth = '1900-01-01', email_verified = FALSE,
                         role = 'ATTENDEE', version = version + 1, updated_at = %(at)s, erased_at = %(at)s
         WHERE id = %(id)s AND password_hash = %(password_hash)s AND role = %(role)s AND erased_at IS NULL
        RETURNING version
        """,
        id=user_id,
        role=role,
        password_hash=password_hash,
        no_password=no_password,
        at=at,
    )
    return row["version"] if row else None


def delete_links(sql: Sql, user_id: UUID) -> None:
    """No link that was mailed to the user works any more."""
    sql.run("DELETE FROM email_tokens WHERE user_id = %(user_id)s", user_id=user_id)
