"""All SQL of the auth service. A function is one statement, and says what makes it safe."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from functions.auth.records import UserRecord
from shared.database import Row, Sql, record
from shared.identity import Role
from shared.retention import forget

Kind = Literal["VERIFY", "RESET"]


# ---- users


def add_user(
    sql: Sql,
    *,
    email: str,
    password_hash: str,
    first_name: str,
    last_name: str,
    date_of_birth: date,
    role: Role,
    at: datetime,
) -> UserRecord:
    """A new user; the unique constraint `users_email_is_unique` refuses an address that is taken."""
    row = sql.one(
        """
        INSERT INTO users (email, password_hash, first_name, last_name, date_of_birth, role, created_at, updated_at)
        VALUES (%(email)s, %(password_hash)s, %(first_name)s, %(last_name)s, %(date_of_birth)s, %(role)s,
                %(at)s, %(at)s)
        RETURNING *
        """,
        email=email,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
        date_of_birth=date_of_birth,
        role=role,
        at=at,
    )
    assert row is not None
    return _user(row)


def user(sql: Sql, user_id: UUID) -> UserRecord | None:
    """The user with this id."""
    return _found(sql.one("SELECT * FROM users WHERE id = %(id)s", id=user_id))


def user_by_email(sql: Sql, email: str) -> UserRecord | None:
    """The user with this address (given in lower case)."""
    return _found(sql.one("SELECT * FROM users WHERE email = %(email)s", email=email))


def rename(
    sql: Sql, user_id: UUID, first_name: str | None, last_name: str | None, at: datetime
) -> UserRecord | None:
    """Change the names that are given; the version counts the change in the same statement."""
    row = sql.one(
        """
        UPDATE users SET first_name = coalesce(%(first_name)s, first_name),
                         last_name = coalesce(%(last_name)s, last_name),
                         version = version + 1, updated_at = %(at)s
         WHERE id = %(id)s AND erased_at IS NULL
        RETURNING *
        """,
        id=user_id,
        first_name=first_name,
        last_name=last_name,
        at=at,
    )
    return _found(row)


def set_role(sql: Sql, email: str, role: Role, at: datetime) -> UserRecord | None:
    """Give the user with this address a role."""
    row = sql.one(
        """
        UPDATE users SET role = %(role)s, version = version + 1, updated_at = %(at)s
         WHERE email = %(email)s
        RETURNING *
        """,
        email=email,
        role=role,
        at=at,
    )
    return _found(row)


def set_verified(sql: Sql, user_id: UUID, at: datetime) -> UserRecord | None:
    """The user's address is the user's."""
    row = sql.one(
        """
        UPDATE users SET email_verified = TRUE, updated_at = %(at)s
         WHERE id = %(id)s AND erased_at IS NULL
        RETURNING *
        """,
        id=user_id,
        at=at,
    )
    return _found(row)


def set_password(sql: Sql, user_id: UUID, password_hash: str, at: datetime) -> UserRecord | None:
    """Replace the password. The link that allows it was mailed, so the address is verified as well."""
    row = sql.one(
        """
        UPDATE users SET password_hash = %(password_hash)s, email_verified = TRUE, updated_at = %(at)s
         WHERE id = %(id)s AND erased_at IS NULL
        RETURNING *
        """,
        id=user_id,
        password_hash=password_hash,
        at=at,
    )
    return _found(row)


# ---- sessions


def add_session(
    sql: Sql, user: UserRecord, token_hash: str, *, expires_at: datetime, at: datetime
) -> UUID | None:
    """A new session, unless the password or the role has changed since `user` was read.

    FOR SHARE waits for a password reset or another role under way, which update the user before they end the sessions:
    either this one sees what is new, or they see this session.
    """
    row = sql.one(
        """
        WITH same AS (
            SELECT id FROM users
             WHERE id = %(id)s AND password_hash = %(password_hash)s AND role = %(role)s FOR SHARE
        )
        INSERT INTO user_sessions (user_id, token_hash, expires_at, created_at)
        SELECT id, %(token_hash)s, %(expires_at)s, %(at)s FROM same
        RETURNING id
        """,
        id=user.id,
        password_hash=user.password_hash,
        role=user.role,
        token_hash=token_hash,
        expires_at=expires_at,
        at=at,
    )
    return row["id"] if row else None


def rotate(
    sql: Sql, old_hash: str, new_hash: str, *, expires_at: datetime, at: datetime
) -> tuple[UUID, UserRecord] | None:
    """Exchange a live session's refresh token and remember the old one as used.

    Of two at once the second waits for the row, then finds another token in it: exactly one wins.
    """
    row = sql.one(
        """
        WITH exchanged AS (
            UPDATE user_sessions SET token_hash = %(new)s, expires_at = %(expires_at)s
             WHERE token_hash = %(old)s AND revoked_at IS NULL AND expires_at > %(at)s
            RETURNING id, user_id
        ), used AS (
            INSERT INTO used_refresh_tokens (token_hash, session_id, used_at)
            SELECT %(old)s, id, %(at)s FROM exchanged
        )
        SELECT exchanged.id AS session_id, u.* FROM exchanged JOIN users u ON u.id = exchanged.user_id
        """,
        old=old_hash,
        new=new_hash,
        expires_at=expires_at,
        at=at,
    )
    return None if row is None else (row.pop("session_id"), _user(row))


def end_session_of_used_token(sql: Sql, token_hash: str, at: datetime) -> tuple[UUID, UUID] | None:
    """End the session that this refresh token was once good for; the user's and the session's id."""
    row = sql.one(
        """
        UPDATE user_sessions s SET revoked_at = coalesce(s.revoked_at, %(at)s)
          FROM used_refresh_tokens used
         WHERE used.token_hash = %(token_hash)s AND s.id = used.session_id
        RETURNING s.user_id, s.id
        """,
        token_hash=token_hash,
        at=at,
    )
    return (row["user_id"], row["id"]) if row else None


def end_session(sql: Sql, user_id: UUID, session_id: UUID, at: datetime) -> None:
    """End one session of a user."""
    sql.run(
        """
        UPDATE user_sessions SET revoked_at = %(at)s
         WHERE id = %(id)s AND user_id = %(user_id)s AND revoked_at IS NULL
        """,
        id=session_id,
        user_id=user_id,
        at=at,
    )


def end_sessions(sql: Sql, user_id: UUID, at: datetime) -> list[UUID]:
    """End every session of a user that is not over; their ids."""
    rows = sql.all(
        """
        UPDATE user_sessions SET revoked_at = %(at)s
         WHERE user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(at)s
        RETURNING id
        """,
        user_id=user_id,
        at=at,
    )
    return [row["id"] for row in rows]


def session_is_live(sql: Sql, user_id: UUID, session_id: UUID, at: datetime) -> bool:
    """Whether there is such a session, neither ended nor expired."""
    row = sql.one(
        """
        SELECT 1 AS live FROM user_sessions
         WHERE id = %(id)s AND user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(at)s
        """,
        id=session_id,
        user_id=user_id,
        at=at,
    )
    return row is not None


# ---- links


def add_link(
    sql: Sql, kind: Kind, email: str, token_hash: str, *, expires_at: datetime, at: datetime, most: int
) -> Row | None:
    """A link for the account with this address: its id, email and first_name.

    None if there is none, if it needs none (verified already), or if it was given `most` in the last hour. One
    statement decides, so that the work is the same either way.
    """
    return sql.one(
        """
        WITH due AS (
            SELECT id, email, first_name FROM users u
             WHERE email = %(email)s AND NOT (%(kind)s = 'VERIFY' AND email_verified)
               AND (SELECT count(*) FROM email_tokens t
                     WHERE t.user_id = u.id AND t.kind = %(kind)s
                       AND t.created_at > %(at)s - interval '1 hour') < %(most)s
        ), kept AS (
            INSERT INTO email_tokens (user_id, kind, token_hash, expires_at, created_at)
            SELECT id, %(kind)s, %(token_hash)s, %(expires_at)s, %(at)s FROM due
        )
        SELECT id, email, first_name FROM due
        """,
        kind=kind,
        email=email,
        token_hash=token_hash,
        expires_at=expires_at,
        at=at,
        most=most,
    )


def use_link(sql: Sql, kind: Kind, token_hash: str, at: datetime) -> UUID | None:
    """Use a link up; the user it was mailed to. Of two at once the second finds it used."""
    row = sql.one(
        """
        UPDATE email_tokens SET used_at = %(at)s
         WHERE kind = %(kind)s AND token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(at)s
        RETURNING user_id
        """,
        kind=kind,
        token_hash=token_hash,
        at=at,
    )
    return row["user_id"] if row else None


def void_links(sql: Sql, kind: Kind, user_id: UUID, at: datetime) -> None:
    """Use up what other links of this kind the user was mailed."""
    sql.run(
        "UPDATE email_tokens SET used_at = %(at)s WHERE user_id = %(user_id)s AND kind = %(kind)s AND used_at IS NULL",
        user_id=user_id,
        kind=kind,
        at=at,
    )


# ---- sign-in failures


def add_failure(sql: Sql, account: str, address: str, at: datetime) -> None:
    """Count a sign-in as failed until it has succeeded."""
    sql.run(
        "INSERT INTO sign_in_failures (account, address, failed_at) VALUES (%(account)s, %(address)s, %(at)s)",
        account=account,
        address=address,
        at=at,
    )


def lock_links(sql: Sql, email: str) -> None:
    """Let nobody else count or add links for this address, known or not, until the transaction is over."""
    sql.one("SELECT pg_advisory_xact_lock(hashtextextended('links ' || %(email)s, 0))", email=email)


def lock_failures(sql: Sql, address: str) -> None:
    """Let nobody else count or add failures from this address until the transaction is over.

    A transaction's advisory lock, since the first failure has no row to lock; RDS Proxy pins no connection for it.
    """
    sql.one("SELECT pg_advisory_xact_lock(hashtextextended(%(address)s, 0))", address=address)


def failures(sql: Sql, account: str, address: str, *, since: datetime) -> Row:
    """Failed sign-ins from an address: how many to this account (`here`) and to any, and the oldest of each."""
    row = sql.one(
        """
        SELECT count(*) AS anywhere, min(failed_at) AS oldest_anywhere,
               count(*) FILTER (WHERE account = %(account)s) AS here,
               min(failed_at) FILTER (WHERE account = %(account)s) AS oldest_here
          FROM sign_in_failures WHERE address = %(address)s AND failed_at > %(since)s
        """,
        account=account,
        address=address,
        since=since,
    )
    assert row is not None
    return row


def forget_failures(sql: Sql, account: str, address: str | None) -> None:
    """Forget failed sign-ins to an account, from one address or from all."""
    sql.run(
        """
        DELETE FROM sign_in_failures
         WHERE account = %(account)s AND (%(address)s::text IS NULL OR address = %(address)s)
        """,
        account=account,
        address=address,
    )


# ---- what is over


def forget_sessions(sql: Sql, *, expired_before: datetime, used_before: datetime, limit: int) -> int:
    """Delete refresh tokens that were used long ago or, once there are none, expired sessions; how many.

    At most so many, the oldest first. A session takes all its tokens along, which may be thousands.
    """
    return forget(sql, "used_refresh_tokens", "used_at", used_before, limit) or forget(
        sql, "user_sessions", "expires_at", expired_before, limit
    )


def forget_links(sql: Sql, *, expired_before: datetime, limit: int) -> int:
    """Delete expired links, at most so many, the oldest first; how many."""
    return forget(sql, "email_tokens", "expires_at", expired_before, limit)


def forget_old_failures(sql: Sql, *, failed_before: datetime, limit: int) -> int:
    """Delete old failures to sign in, at most so many, the oldest first; how many."""
    return forget(sql, "sign_in_failures", "failed_at", failed_before, limit)


def _found(row: Row | None) -> UserRecord | None:
    return None if row is None else _user(row)


def _user(row: Row) -> UserRecord:
    return record(UserRecord, row | {"role": Role(row["role"])})
