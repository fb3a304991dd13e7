"""Every minute: finish the purchases that a crash left unfinished."""

from typing import Any

from functions.tickets import resuming
from functions.tickets.database import database
from functions.tickets.settings import SAGA_CHECK_SECONDS
from shared.clock import now
from shared.job import SWEEP_LIMIT, job


def resume_purchases(event: dict[str, Any]) -> int:
    """The number looked at; `{"olderThanSeconds": 0}` looks at all, for an engine that lost its memory."""
    older_than = float(event.get("olderThanSeconds", SAGA_CHECK_SECONDS()))
    return resuming.resume(database, now(), older_than, SWEEP_LIMIT())


handler = job("tickets", resume_purchases)
