"""POST /api/events/{id}/cancel: call an event off."""

from uuid import UUID

from functions.events import planning
from functions.events.database import database
from functions.events.models import CancelRequest, Event
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("events", database)


@api.post("/api/events/{id}/cancel", status=202, role=Role.ORGANIZER)
def cancel_event(id: UUID, request: CancelRequest, user: User, sql: Sql) -> Event:
    """Cancel a published event: it is shown as such, and sales stop."""
    return Event.of(planning.cancel(sql, user, id, request.reason, now()))


handler = api.handler
