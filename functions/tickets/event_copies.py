"""What tickets keeps of events: brought by messages, and asked for where a message may still be under way.

Asking is a call over HTTP for a user, and never happens while a transaction is open.
"""

from uuid import UUID

from functions.tickets import inventory
from functions.tickets.records import EventCopy
from functions.tickets.repository import event_copies as repository
from shared import calls
from shared.clock import now
from shared.contracts import EventState
from shared.database import Database, Sql
from shared.errors import NotFound, Unavailable
from shared.identity import User
from shared.wire import Answer, Instant


class EventAnswer(Answer):
    """What we read of the events service's answer."""

    id: UUID
    organizer_id: UUID
    name: str
    event_date: Instant
    time_zone: str
    venue_name: str
    venue_address: str
    status: str
    version: int


def take_over(sql: Sql, state: EventState) -> None:
    """Keep the state that a message carries, unless ours is newer."""
    _put(sql, _copy(state.event_id, state))


def refresh_public(database: Database, event_id: UUID) -> EventCopy:
    """Ask the events service for an event that everybody may see, and keep the answer.

    Raises:
        NotFound: there is no such event, or it is a draft.
    """
    return _keep(database, calls.get("events", f"/api/events/{event_id}"))


def refresh_owned(database: Database, organizer: User, event_id: UUID) -> EventCopy:
    """Ask the events service, as this organizer, for an event of theirs, and keep the answer.

    While it does not answer, what we know of the event holds: messages keep that up to date.

    Raises:
        NotFound: there is no such event, or it is someone else's.
        Unavailable: the events service does not answer, and we have no copy.
    """
    try:
        answer = calls.get("events", f"/api/events/mine/{event_id}", user=organizer)
    except Unavailable:
        copy = _known(database, organizer, event_id)
        if copy is None:
            raise
        return copy
    return _keep(database, answer)


def owned(database: Database, organizer: User, event_id: UUID) -> EventCopy:
    """This organizer's event, a draft or not; asks the events service only if we have no copy.

    Raises:
        NotFound: there is no such event, or it is someone else's.
    """
    return _known(database, organizer, event_id) or refresh_owned(database, organizer, event_id)


def _known(database: Database, organizer: User, event_id: UUID) -> EventCopy | None:
    with database.reading() as sql:
        copy = repository.get(sql, event_id)
    if copy is not None and not organizer.may_act_for(copy.organizer_id):
        raise NotFound()
    return copy


def _keep(database: Database, answer: dict[str, object]) -> EventCopy:
    event = EventAnswer.model_validate(answer)
    copy = _copy(event.id, event)
    with database.transaction() as sql:
        _put(sql, copy)
    return copy


def _put(sql: Sql, copy: EventCopy) -> None:
    if repository.put(sql, copy):
        inventory.changed(sql, copy.event_id)


def _copy(event_id: UUID, state: EventAnswer | EventState) -> EventCopy:
    return EventCopy(
        event_id=event_id,
        organizer_id=state.organizer_id,
        name=state.name,
        event_date=state.event_date,
        time_zone=state.time_zone,
        venue_name=state.venue_name,
        venue_address=state.venue_address,
        status=state.status,
        version=state.version,
        currency=None,
        refreshed_at=now(),
    )
