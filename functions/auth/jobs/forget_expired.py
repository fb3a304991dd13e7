"""Every hour: delete sessions, links and exports that are over, and failed sign-ins that count no more."""

from datetime import timedelta
from typing import Any

from functions.auth import privacy_repository, repository
from functions.auth.database import database
from functions.auth.settings import EXPORT_RECORD_DAYS, SESSION_DAYS, SIGN_IN_WINDOW_MINUTES
from shared.clock import now
from shared.job import FORGET_LIMIT, job


def forget_expired(_event: dict[str, Any]) -> int:
    """The number of rows that were deleted."""
    at, limit = now(), FORGET_LIMIT()
    with database.transaction() as sql:
        forgotten = repository.forget_expired(
            sql,
            at=at,
            failures_before=at - timedelta(minutes=SIGN_IN_WINDOW_MINUTES()),
            used_before=at - timedelta(days=SESSION_DAYS()),
            limit=limit,
        )
        old = at - timedelta(days=EXPORT_RECORD_DAYS())
        exports = privacy_repository.forget_exports(sql, old, limit)
        return forgotten + exports


handler = job("auth", forget_expired)
