"""What Redis holds of sessions: under `session:{userId}` a field for each, `active:<read at>` or `revoked`.

`revoked` is final: a reader who saw the session alive just before its end cannot write over it.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from functions.auth.cache import cache
from functions.auth.settings import SESSION_CACHE_HOURS, SESSION_CACHE_TRUST_SECONDS

REVOKED = "revoked"


def state(user_id: UUID, session_id: UUID, at: datetime) -> Literal["live", "ended"] | None:
    """What is known of a session; None if nothing is, or nothing recent enough."""
    value = cache.field(_key(user_id), str(session_id))
    if value is None:
        return None
    if value == REVOKED:
        return "ended"
    read_at = float(value.removeprefix("active:"))
    return "live" if at.timestamp() - read_at < SESSION_CACHE_TRUST_SECONDS() else None


def remember(user_id: UUID, session_id: UUID, read_at: datetime) -> None:
    """The session was alive in PostgreSQL at this instant."""
    value = f"active:{read_at.timestamp():.3f}"
    cache.set_field(_key(user_id), str(session_id), value, seconds=_seconds(), unless=REVOKED)


def end(user_id: UUID, session_ids: list[UUID]) -> None:
    """These sessions are over."""
    for session_id in session_ids:
        cache.set_field(_key(user_id), str(session_id), REVOKED, seconds=_seconds())


def _key(user_id: UUID) -> str:
    return f"session:{user_id}"


def _seconds() -> int:
    return SESSION_CACHE_HOURS() * 3600
