"""GET /api/events/mine/{id}: one of an organizer's own events, draft or not."""

from uuid import UUID

from functions.events import images
from functions.events.database import database
from functions.events.models import OwnEvent
from shared.api import Api
from shared.database import Sql
from shared.identity import Role, User

api = Api("events", database)


@api.get("/api/events/mine/{id}", role=Role.ORGANIZER)
def my_event(id: UUID, user: User, sql: Sql) -> OwnEvent:
    """An event of one's own, and what became of the picture asked for last; an admin may see any."""
    return images.own_event(sql, user, id)


handler = api.handler
