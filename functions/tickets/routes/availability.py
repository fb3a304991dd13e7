"""GET /api/tickets/availability/{eventId}: what can be bought for an event right now."""

from uuid import UUID

from functions.tickets import availability as use_case
from functions.tickets.database import database
from functions.tickets.models import Availability
from shared.api import Api
from shared.clock import now

api = Api("tickets", database)


@api.get("/api/tickets/availability/{eventId}", cache_seconds=1)
def availability(event_id: UUID) -> Availability:
    """The event's ticket types and how many of each are left; at most a second old, `asOf` says when."""
    return use_case.of_event(database, event_id, now())


handler = api.handler
