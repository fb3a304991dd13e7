"""Every hour: events that are over are completed."""

from typing import Any

from functions.events import planning
from functions.events.database import database
from shared.clock import now
from shared.job import job


def run(_event: dict[str, Any]) -> int:
    """Published events whose date lies far enough back."""
    with database.transaction() as sql:
        return planning.complete(sql, now())


handler = job("events", run)
