"""What is on offer: the events that everybody sees, and an organizer's own."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from functions.events import event_cache, repository
from functions.events.models import Event, EventRecord, Filter, Status
from shared import paging
from shared.database import Database, Sql
from shared.errors import NotFound, Unavailable
from shared.paging import Page


def public(database: Database, event_id: UUID, at: datetime) -> Event:
    """An event that has been published; from the cache if it was read there just now, or if PostgreSQL is away.

    Raises:
        NotFound: there is none, or it is a draft.
    """
    held = event_cache.recall(event_id, at)
    if held is not None and held[1]:
        return held[0]
    try:
        with database.reading() as sql:
            record = repository.public_event(sql, event_id)
    except Unavailable:
        if held is None:
            raise
        return held[0]
    if record is None:
        raise NotFound()
    event = Event.of(record)
    event_cache.keep(event, at)
    return event


def upcoming(sql: Sql, wanted: Filter, at: datetime, limit: int, cursor: str | None) -> Page[Event]:
    """A page of the published events that are still to come, the next first."""
    after = paging.decode(cursor, paging.instant, UUID)
    found = repository.upcoming(sql, wanted, at, after=after, limit=limit + 1)
    return _page(found, limit, lambda last: last.event_date)


def of_organizer(
    sql: Sql, organizer_id: UUID, status: Status | None, limit: int, cursor: str | None
) -> Page[Event]:
    """A page of an organizer's events, drafts included, the newest first."""
    after = paging.decode(cursor, paging.instant, UUID)
    found = repository.of_organizer(sql, organizer_id, status, after=after, limit=limit + 1)
    return _page(found, limit, lambda last: last.created_at)


def _page(found: list[EventRecord], limit: int, sorted_by: Callable[[EventRecord], datetime]) -> Page[Event]:
    shown, next_cursor = paging.cut(found, limit, lambda record: (sorted_by(record), record.id))
    return Page[Event](items=[Event.of(record) for record in shown], next_cursor=next_cursor)
