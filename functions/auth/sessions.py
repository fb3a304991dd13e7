"""Sessions: started by a sign-in, prolonged by refreshing, ended at once.

PostgreSQL knows; Redis remembers. A session that was ended is told to Redis after the commit, before the answer. While
Redis cannot be told, the answer waits for as long as its word is believed, so that no ended session outlives it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from functions.auth import repository, session_cache
from functions.auth.random_tokens import digest, new_token
from functions.auth.records import Session, UserRecord
from functions.auth.settings import SESSION_DAYS
from shared.database import Sql
from shared.errors import Unauthenticated


class InvalidRefreshToken(Unauthenticated):
    """401: no live session has this refresh token; if one once had it, it is over now."""

    code = "INVALID_TOKEN"
    message = "This refresh token is not valid, sign in again"


def start(sql: Sql, user: UserRecord, at: datetime) -> Session | None:
    """A new session; None if the user's password or role has changed since `user` was read."""
    token = new_token()
    session_id = repository.add_session(sql, user, digest(token), expires_at=_end(at), at=at)
    return None if session_id is None else Session(session_id, user, token)


def refresh(sql: Sql, refresh_token: str, at: datetime) -> Session | None:
    """Exchange the refresh token for a new one, and prolong the session.

    A token that was exchanged before ends its session (RFC 9700, section 4.14.2): one of the two who had it stole it.
    That has to be committed, so it is not raised here.

    Returns:
        None, if the token is not, or no longer, the one of a live session.
    """
    new = new_token()
    rotated = repository.rotate(sql, digest(refresh_token), digest(new), expires_at=_end(at), at=at)
    if rotated is not None:
        session_id, user = rotated
        return Session(session_id, user, new)
    reused = repository.end_session_of_used_token(sql, digest(refresh_token), at)
    if reused is not None:
        user_id, session_id = reused
        sql.after_commit(lambda: session_cache.end(user_id, [session_id]))
    return None


def end(sql: Sql, user_id: UUID, session_id: UUID, at: datetime) -> None:
    """End a session: neither its access tokens nor its refresh token work any more."""
    repository.end_session(sql, user_id, session_id, at)
    sql.after_commit(lambda: session_cache.end(user_id, [session_id]))


def end_all(sql: Sql, user_id: UUID, at: datetime) -> None:
    """End every session of a user."""
    ended = repository.end_sessions(sql, user_id, at)
    sql.after_commit(lambda: session_cache.end(user_id, ended))


def _end(at: datetime) -> datetime:
    return at + timedelta(days=SESSION_DAYS())
