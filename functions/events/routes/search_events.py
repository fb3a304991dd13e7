"""GET /api/events/search: find what is on by words, typing errors forgiven."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import StringConstraints

from functions.events import search
from functions.events.database import database
from functions.events.models import Before, CategoryName, Filter, SearchPage, Since, Sort
from functions.events.search import Search
from shared.api import Api
from shared.clock import now
from shared.paging import DEFAULT_LIMIT, Cursor, Limit

api = Api("events", database)


@api.get("/api/events/search", cache_seconds=5)
def search_events(
    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Query()],
    category: Annotated[CategoryName | None, Query()] = None,
    since: Annotated[Since | None, Query(alias="from")] = None,
    before: Annotated[Before | None, Query(alias="to")] = None,
    sort: Annotated[Sort, Query()] = "relevance",
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> SearchPage:
    """Published events that are still to come and match, and how many of them each category has."""
    wanted = Filter.of(category, since, before)
    return search.page(database, Search(q, wanted, sort, limit, cursor), now())


handler = api.handler
