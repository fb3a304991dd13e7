"""What events tells the others."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Contract
from shared.wire import Instant


class EventState(Contract):
    """What every message about an event carries: the whole of what others keep of it."""

    event_id: UUID
    organizer_id: UUID
    name: str
    event_date: Instant
    time_zone: str
    venue_name: str
    venue_address: str
    status: str
    version: int


class EventPublished(EventState):
    """An event went on sale; the whole of what others keep of it."""

    TYPE: ClassVar[str] = "events.event_published.v1"


class EventUpdated(EventState):
    """A published event changed."""

    TYPE: ClassVar[str] = "events.event_updated.v1"


class EventCancelled(EventState):
    """A published event was cancelled: sales stop."""

    TYPE: ClassVar[str] = "events.event_cancelled.v1"
    reason: str
