"""Is a session still on? Asked before every call that is not public: Redis first, else PostgreSQL."""

from datetime import datetime
from uuid import UUID

from functions.auth import repository, session_cache
from functions.auth.database import database


def is_live(user_id: UUID, session_id: UUID, at: datetime) -> bool:
    """Whether the user's session is neither ended nor expired.

    Raises:
        Unavailable: Redis does not know and PostgreSQL does not answer.
    """
    known = session_cache.state(user_id, session_id, at)
    if known is not None:
        return known == "live"
    with database.reading() as sql:
        live = repository.session_is_live(sql, user_id, session_id, at)
    if live:
        session_cache.remember(user_id, session_id, at)
    return live
