"""Every hour: delete sessions and links that are over, and failed sign-ins that count no more."""

from datetime import timedelta
from typing import Any

from functions.auth import repository
from functions.auth.database import database
from functions.auth.settings import SESSION_DAYS, SIGN_IN_WINDOW_MINUTES
from shared.clock import now
from shared.job import job


def forget_expired(_event: dict[str, Any]) -> int:
    """The number of rows that were deleted."""
    at = now()
    with database.transaction() as sql:
        return repository.forget_expired(
            sql,
            at=at,
            failures_before=at - timedelta(minutes=SIGN_IN_WINDOW_MINUTES()),
            used_before=at - timedelta(days=SESSION_DAYS()),
        )


handler = job("auth", forget_expired)
