"""GET /api/events/{id}: an event as everybody sees it."""

from uuid import UUID

from functions.events import catalogue
from functions.events.database import database
from functions.events.models import Event
from shared.api import Api
from shared.clock import now

api = Api("events", database)


@api.get("/api/events/{id}", cache_seconds=5)
def get_event(id: UUID) -> Event:
    """An event that has been published. 404 for a draft."""
    return catalogue.public(database, id, now())


handler = api.handler
