"""Every hour: delete sessions, links and exports that are over, and failed sign-ins that count no more."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from functions.auth import privacy_repository, repository
from functions.auth.database import database
from functions.auth.settings import EXPORT_RECORD_DAYS, SESSION_DAYS, SIGN_IN_WINDOW_MINUTES
from shared.clock import now
from shared.database import Sql
from shared.job import FORGET_LIMIT, job

# Of the 50 that the function has: what is begun then may take a few more.
WORK_SECONDS = 30

Forget = Callable[[Sql], int]


def forget_expired(_event: dict[str, Any]) -> int:
    """The number of rows that were deleted.

    An hour may leave more rows of a table than one transaction should delete, as when somebody guesses passwords. So
    each table has its turn, again and again, until nothing is left or the time is over.
    """
    until, forgotten, left = time.monotonic() + WORK_SECONDS, 0, _tables(now(), FORGET_LIMIT())
    while left:
        batches = [(forget, _committed(forget)) for forget in left]
        forgotten += sum(rows for _, rows in batches)
        left = [forget for forget, rows in batches if rows and time.monotonic() < until]
    return forgotten


def _tables(at: datetime, limit: int) -> list[Forget]:
    used, failed = at - timedelta(days=SESSION_DAYS()), at - timedelta(minutes=SIGN_IN_WINDOW_MINUTES())
    exported = at - timedelta(days=EXPORT_RECORD_DAYS())
    return [
        lambda sql: repository.forget_sessions(sql, expired_before=at, used_before=used, limit=limit),
        lambda sql: repository.forget_links(sql, expired_before=at, limit=limit),
        lambda sql: repository.forget_old_failures(sql, failed_before=failed, limit=limit),
        lambda sql: privacy_repository.forget_exports(sql, exported, limit),
    ]


def _committed(forget: Forget) -> int:
    with database.transaction() as sql:
        return forget(sql)


handler = job("auth", forget_expired)
