"""What Redis holds of sessions: under `session:{userId}` a field for each, `active:<read at>` or `revoked`.

`revoked` is final: a reader who saw the session alive just before its end cannot write over it. So it stays for as long
as such a reader is believed, also in a hash that is about to end.
"""

import time
from datetime import datetime
from typing import Literal
from uuid import UUID

from functions.auth.cache import cache
from functions.auth.settings import SESSION_CACHE_HOURS, SESSION_CACHE_TRUST_SECONDS

REVOKED = "revoked"
RETRY_SECONDS = 0.2


def state(user_id: UUID, session_id: UUID, at: datetime) -> Literal["live", "ended"] | None:
    """What is known of a session; None if nothing is, or nothing recent enough."""
    value = cache.field(_key(user_id), str(session_id))
    if value is None:
        return None
    if value == REVOKED:
        return "ended"
    try:
        read_at = float(value.removeprefix("active:"))
    except ValueError:  # nothing that this code wrote
        return None
    return "live" if abs(at.timestamp() - read_at) < SESSION_CACHE_TRUST_SECONDS() else None


def remember(user_id: UUID, session_id: UUID, read_at: datetime) -> None:
    """The session was alive in PostgreSQL at this instant."""
    value = f"active:{read_at.timestamp():.3f}"
    cache.set_field(_key(user_id), str(session_id), value, seconds=_seconds(), unless=REVOKED)


def end(user_id: UUID, session_ids: list[UUID]) -> None:
    """These sessions are over in PostgreSQL; when this returns, nobody believes otherwise.

    Redis may be away for us and there for the authorizer, or come back as it was. So either it is told, or the time
    passes for which its last word on a session is believed: slower, never wrong.
    """
    believed_until = time.monotonic() + SESSION_CACHE_TRUST_SECONDS()
    while session_ids := [id for id in session_ids if not _told(user_id, id)]:
        if time.monotonic() >= believed_until:
            return
        time.sleep(RETRY_SECONDS)


def _told(user_id: UUID, session_id: UUID) -> bool:
    seconds, believed = _seconds(), SESSION_CACHE_TRUST_SECONDS()
    return cache.set_field(_key(user_id), str(session_id), REVOKED, seconds=seconds, at_least=believed)


def _key(user_id: UUID) -> str:
    return f"session:{user_id}"


def _seconds() -> int:
    return SESSION_CACHE_HOURS() * 3600
