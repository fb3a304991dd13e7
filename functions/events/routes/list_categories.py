"""GET /api/events/categories: what events are found under."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.events import categories
from functions.events.database import database
from functions.events.models import Category
from shared.api import Api
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("events", database)


@api.get("/api/events/categories", cache_seconds=60)
def list_categories(
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[Category]:
    """The categories, by name."""
    with database.standby() as sql:
        return categories.page(sql, limit, cursor)


handler = api.handler
