"""Every minute: go on with cancelled events whose tickets a crash left valid."""

from typing import Any

from functions.tickets import voiding
from functions.tickets.database import database
from functions.tickets.settings import VOID_STALL_SECONDS, VOID_SWEEP_LIMIT
from shared.clock import now
from shared.job import job


def resume_voiding(event: dict[str, Any]) -> int:
    """The number of events; `{"olderThanSeconds": 0}` takes all that are not finished."""
    older_than = float(event.get("olderThanSeconds", VOID_STALL_SECONDS()))
    with database.transaction() as sql:
        return voiding.resume(sql, now(), older_than, VOID_SWEEP_LIMIT())


handler = job("tickets", resume_voiding)
