"""POST /api/events: plan an event."""

from functions.events import categories, planning
from functions.events.database import database
from functions.events.models import Event, EventRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("events", database)


@api.post(
    "/api/events",
    status=201,
    role=Role.ORGANIZER,
    idempotent="optional",
    also_check=categories.complaints,
)
def create_event(request: EventRequest, user: User, sql: Sql) -> Event:
    """Create a draft, which nobody else sees until it is published."""
    return Event.of(planning.create(sql, user, request, now()))


handler = api.handler
