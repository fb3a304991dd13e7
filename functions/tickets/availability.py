"""What can be bought for an event right now.

What Redis keeps is shown while it is at most a second old; anything older is read again from PostgreSQL, and shown
as it is, with its `asOf`, only while PostgreSQL does not answer.
"""

from datetime import datetime
from uuid import UUID

from functions.tickets import event_copies, inventory
from functions.tickets.models import Availability
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import ticket_types
from shared.database import Database
from shared.errors import Unavailable


def of_event(database: Database, event_id: UUID, at: datetime) -> Availability:
    """What can be bought for an event.

    Raises:
        NotFound: there is no such event, or it is a draft.
        Unavailable: PostgreSQL does not answer, and nothing is kept.
    """
    kept = inventory.kept(event_id)
    if kept is not None and kept.is_recent(at):
        return kept.answer(at)
    try:
        fresh = _read(database, event_id, at)
    except Unavailable:
        if kept is None:
            raise
        return kept.answer(at)
    inventory.keep(fresh)
    return fresh.answer(at)


def _read(database: Database, event_id: UUID, at: datetime) -> inventory.Inventory:
    with database.reading() as sql:
        event = copies.get(sql, event_id)
        if event is None or not event.is_public:
            # Perhaps it was published a moment ago, and the news of it has not arrived here.
            event = event_copies.refresh_public(database, event_id)
        rows = ticket_types.inventory(sql, event_id, at)
    return inventory.Inventory(
        event_id,
        inventory.KeptEvent(
            as_of=at,
            ends_at=event.event_date,
            is_on_sale=event.status == "PUBLISHED",
            types=[row["id"] for row in rows],
        ),
        [inventory.KeptType(as_of=at, **row) for row in rows],
    )
