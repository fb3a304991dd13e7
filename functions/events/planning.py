"""What an organizer does with an event: plan it, change it, put it on, call it off."""

from datetime import datetime, timedelta
from uuid import UUID

from functions.events import categories, event_cache, repository
from functions.events.models import EventRecord, EventRequest
from functions.events.settings import COMPLETE_LIMIT, COMPLETED_AFTER_HOURS
from shared import outbox
from shared.contracts import EventCancelled, EventPublished, EventUpdated
from shared.database import Row, Sql
from shared.errors import Conflict, NotFound
from shared.identity import User


class LostUpdate(Conflict):
    """409: the event has changed since the caller read it."""

    code = "LOST_UPDATE"
    message = "The event has been changed meanwhile: read it again"


class EventIsPublished(Conflict):
    """409: what is published is cancelled, not deleted."""

    code = "EVENT_PUBLISHED"
    message = "A published event cannot be deleted; cancel it instead"


class EventIsNotPublished(Conflict):
    """409: a draft is deleted, not cancelled."""

    code = "EVENT_NOT_PUBLISHED"
    message = "A draft cannot be cancelled; delete it instead"


class EventIsOver(Conflict):
    """409: cancelled or completed; nothing about it changes any more."""

    code = "EVENT_OVER"
    message = "The event was cancelled or is over"


class EventNotUpcoming(Conflict):
    """409: it would have begun already."""

    code = "EVENT_NOT_UPCOMING"
    message = "The event's date has passed; change it first"


def own(sql: Sql, user: User, event_id: UUID) -> EventRecord:
    """An event of the user's (an admin's are all).

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _own(repository.event(sql, event_id), user)


def changeable(sql: Sql, user: User, event_id: UUID) -> EventRecord:
    """An event of the user's about which something may still change, locked.

    Raises:
        NotFound, EventIsOver
    """
    event = _own(repository.locked_event(sql, event_id), user)
    _check_not_over(event)
    return event


def create(sql: Sql, user: User, request: EventRequest, at: datetime) -> EventRecord:
    """A new draft.

    Raises:
        BadInput: there is no such category.
    """
    return repository.add_event(sql, user.id, request, categories.spelled(sql, request.category), at)


def change(
    sql: Sql, user: User, event_id: UUID, request: EventRequest, version: int | None, at: datetime
) -> EventRecord:
    """Replace an event's description. Who sells tickets for it is told.

    Args:
        version: the one that the caller read; None to overwrite whatever there is.

    Raises:
        LostUpdate, EventIsOver, NotFound, BadInput
    """
    event = _own(repository.locked_event(sql, event_id), user)
    if version is not None and version != event.version:
        raise LostUpdate()
    _check_not_over(event)
    changed = repository.describe(sql, event_id, request, categories.spelled(sql, request.category), at)
    if changed.status == "PUBLISHED":
        outbox.publish(sql, EventUpdated(**_state(changed)), subject=changed.id, version=changed.version)
        show_change(sql, event_id)
    return changed


def delete(sql: Sql, user: User, event_id: UUID) -> None:
    """Delete a draft.

    Raises:
        EventIsPublished, EventIsOver, NotFound
    """
    event = changeable(sql, user, event_id)
    if event.status != "DRAFT":
        raise EventIsPublished()
    repository.remove(sql, event_id)


def publishable(sql: Sql, user: User, event_id: UUID, at: datetime) -> EventRecord:
    """The event, if nothing but missing tickets could keep it from being published.

    Raises:
        EventIsOver, EventNotUpcoming, NotFound
    """
    event = own(sql, user, event_id)
    _check_publishable(event, at)
    return event


def publish(sql: Sql, user: User, event_id: UUID, at: datetime) -> EventRecord:
    """Put the event on: from now on everybody sees it. One that is on already stays as it is.

    Raises:
        EventIsOver, EventNotUpcoming, NotFound
    """
    event = _own(repository.locked_event(sql, event_id), user)
    _check_publishable(event, at)
    if event.status == "PUBLISHED":
        return event
    published = repository.set_status(sql, event_id, "PUBLISHED", at)
    outbox.publish(sql, EventPublished(**_state(published)), subject=event_id, version=published.version)
    show_change(sql, event_id)
    return published


def cancel(sql: Sql, user: User, event_id: UUID, reason: str, at: datetime) -> EventRecord:
    """Call a published event off. One that is cancelled already stays as it is.

    Raises:
        EventIsNotPublished, EventIsOver, NotFound
    """
    event = _own(repository.locked_event(sql, event_id), user)
    if event.status == "CANCELLED":
        return event
    _check_not_over(event)
    if event.status != "PUBLISHED":
        raise EventIsNotPublished()
    cancelled = repository.set_status(sql, event_id, "CANCELLED", at, reason=reason)
    message = EventCancelled(**_state(cancelled), reason=reason)
    outbox.publish(sql, message, subject=event_id, version=cancelled.version)
    show_change(sql, event_id)
    return cancelled


def complete(sql: Sql, at: datetime) -> int:
    """Complete published events whose date lies `completed_after_hours` back, the oldest first; how many.

    Who sells tickets for them is told. Tickets stay what they are: late guests are still let in.
    """
    over = repository.complete(sql, at - timedelta(hours=COMPLETED_AFTER_HOURS()), at, COMPLETE_LIMIT())
    for event in over:
        outbox.publish(sql, EventUpdated(**_state(event)), subject=event.id, version=event.version)
        show_change(sql, event.id)
    return len(over)


def is_over(event: EventRecord) -> bool:
    """Cancelled or completed; nothing about it changes any more."""
    return event.status in ("CANCELLED", "COMPLETED")


def show_change(sql: Sql, event_id: UUID) -> None:
    """What the public sees has changed: let go of what is cached of it."""
    repository.count_change(sql)
    sql.after_commit(lambda: event_cache.forget(event_id))


def _own(event: EventRecord | None, user: User) -> EventRecord:
    if event is None or not user.may_act_for(event.organizer_id):
        raise NotFound()
    return event


def _check_not_over(event: EventRecord) -> None:
    if is_over(event):
        raise EventIsOver()


def _check_publishable(event: EventRecord, at: datetime) -> None:
    _check_not_over(event)
    if event.status == "DRAFT" and event.event_date <= at:
        raise EventNotUpcoming()


def _state(event: EventRecord) -> Row:
    return {
        "event_id": event.id,
        "organizer_id": event.organizer_id,
        "name": event.name,
        "event_date": event.event_date,
        "time_zone": event.time_zone,
        "venue_name": event.venue_name,
        "venue_address": event.venue_address,
        "status": event.status,
        "version": event.version,
    }
