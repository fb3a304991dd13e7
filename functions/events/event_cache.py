"""What Redis holds of an event: the field `details` of the hash `event:{eventId}`, its public form and when that was.

The field `tickets` beside it is the tickets service's: which types there are, and until when they are sold.

A change forgets it. Should Redis not hear of the change, what it holds is believed for `event_cache_trust_seconds`;
older than that, it is only shown when PostgreSQL does not answer.
"""

import json
from datetime import datetime
from uuid import UUID

from functions.events.cache import cache
from functions.events.models import Event
from functions.events.settings import EVENT_CACHE_SECONDS, EVENT_CACHE_TRUST_SECONDS

FIELD = "details"


def recall(event_id: UUID, at: datetime) -> tuple[Event, bool] | None:
    """What is held of an event, and whether it is recent enough to be believed."""
    found = cache.field(_key(event_id), FIELD)
    if found is None:
        return None
    try:
        held = json.loads(found)
        recent = abs(at.timestamp() - held["asOf"]) < EVENT_CACHE_TRUST_SECONDS()
        return Event.model_validate(held["event"]), recent
    except (ValueError, KeyError, TypeError):  # kept by another version of this code
        return None


def keep(event: Event, as_of: datetime) -> None:
    """Hold an event as it was read at this instant."""
    value = {"asOf": as_of.timestamp(), "event": event.model_dump(mode="json", by_alias=True)}
    cache.set_field(_key(event.id), FIELD, json.dumps(value), seconds=EVENT_CACHE_SECONDS())


def forget(event_id: UUID) -> None:
    """The event has changed."""
    cache.drop_field(_key(event_id), FIELD)


def _key(event_id: UUID) -> str:
    return f"event:{event_id}"
