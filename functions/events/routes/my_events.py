"""GET /api/events/mine: an organizer's own events, drafts included."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.events import catalogue
from functions.events.database import database
from functions.events.models import Event, Status
from shared.api import Api
from shared.database import Sql
from shared.identity import Role, User
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("events", database)


@api.get("/api/events/mine", role=Role.ORGANIZER)
def my_events(
    user: User,
    sql: Sql,
    status: Annotated[Status | None, Query()] = None,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[Event]:
    """One's own events, the newest first."""
    return catalogue.of_organizer(sql, user.id, status, limit, cursor)


handler = api.handler
