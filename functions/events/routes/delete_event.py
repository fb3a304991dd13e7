"""DELETE /api/events/{id}: give a draft up."""

from uuid import UUID

from functions.events import planning
from functions.events.database import database
from shared.api import Api
from shared.database import Sql
from shared.identity import Role, User

api = Api("events", database)


@api.delete("/api/events/{id}", status=204, role=Role.ORGANIZER)
def delete_event(id: UUID, user: User, sql: Sql) -> None:
    """Delete a draft. 409 `EVENT_PUBLISHED`: a published event is cancelled instead."""
    planning.delete(sql, user, id)


handler = api.handler
