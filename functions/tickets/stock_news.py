"""Telling others how an event's stock stands.

At once when its ticket types change; sales and holds are told of by a job each minute, so that reserving does no more
than it must.
"""

from datetime import datetime
from uuid import UUID

from functions.tickets.repository import stock as repository
from shared import outbox
from shared.contracts import StockChanged, TypeStock
from shared.database import Sql


def tell(sql: Sql, event_id: UUID, at: datetime) -> None:
    """Publish all of the event's types and their counters; a later message has a higher version and newer counters."""
    version = repository.next_version(sql, event_id, at)
    types = [TypeStock.model_validate(type_) for type_ in repository.note(sql, event_id)]
    outbox.publish(sql, StockChanged(event_id=event_id, types=types), subject=event_id, version=version)


def tell_changed(sql: Sql, at: datetime, limit: int) -> int:
    """Publish the stock of events where it is not as last told, those first that waited longest; how many."""
    rows = repository.changed(sql, limit)
    for event_id in sorted(row["event_id"] for row in rows):  # locks in the order of ids
        tell(sql, event_id, at)
    return len(rows)
