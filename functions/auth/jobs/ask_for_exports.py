"""Every minute: ask again for parts of exports that are missing for long."""

from typing import Any

from functions.auth import exporting
from functions.auth.database import database
from shared.clock import now
from shared.job import job


def ask_for_exports(_event: dict[str, Any]) -> int:
    """The number of exports that were asked for again."""
    with database.transaction() as sql:
        return exporting.ask_again(sql, now())


handler = job("auth", ask_for_exports)
