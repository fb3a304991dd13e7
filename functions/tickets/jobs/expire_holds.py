"""Every minute: put the seats of reservations that ran out back on sale."""

from typing import Any

from functions.tickets import holds
from functions.tickets.database import database
from shared.clock import now
from shared.job import SWEEP_LIMIT, job


def expire_holds(_event: dict[str, Any]) -> int:
    """The number of holds that were given back; a bound one is its saga's to release."""
    with database.transaction() as sql:
        return holds.expire(sql, now(), SWEEP_LIMIT())


handler = job("tickets", expire_holds)
