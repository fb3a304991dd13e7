"""PUT /api/events/{id}: describe an event anew."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Header

from functions.events import categories, planning
from functions.events.database import database
from functions.events.models import Event, EventRequest
from functions.events.versions import wanted_version
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("events", database)


@api.put("/api/events/{id}", role=Role.ORGANIZER, also_check=categories.complaints)
def update_event(
    id: UUID,
    request: EventRequest,
    user: User,
    sql: Sql,
    if_match: Annotated[str | None, Header(alias="If-Match")] = None,
) -> Event:
    """Replace the description. 409 `LOST_UPDATE`: `If-Match` names a version that is not the present one."""
    return Event.of(planning.change(sql, user, id, request, wanted_version(if_match), now()))


handler = api.handler
