"""By hand: make the sales figures anew from the messages that brought them; `{"eventId": …}` for one event only."""

from typing import Any
from uuid import UUID

from functions.events import sales
from functions.events.database import database
from shared.job import job


def rebuild_sales(event: dict[str, Any]) -> int:
    """The number of events whose figures were made; may run while messages arrive."""
    return sales.rebuild(database, UUID(event["eventId"]) if "eventId" in event else None)


handler = job("events", rebuild_sales)
