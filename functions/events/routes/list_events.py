"""GET /api/events: what is on, the next event first."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.events import catalogue
from functions.events.database import database
from functions.events.models import Before, CategoryName, Event, Filter, Since
from shared.api import Api
from shared.clock import now
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("events", database)


@api.get("/api/events", cache_seconds=5)
def list_events(
    category: Annotated[CategoryName | None, Query()] = None,
    since: Annotated[Since | None, Query(alias="from")] = None,
    before: Annotated[Before | None, Query(alias="to")] = None,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[Event]:
    """Published events that are still to come. `from` and `to` are instants, or dates in UTC."""
    with database.standby() as sql:
        return catalogue.upcoming(sql, Filter.of(category, since, before), now(), limit, cursor)


handler = api.handler
