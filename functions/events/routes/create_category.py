"""POST /api/events/categories: another category to find events under."""

from functions.events import categories
from functions.events.database import database
from functions.events.models import Category, CategoryRequest
from shared.api import Api
from shared.database import Sql
from shared.identity import Role

api = Api("events", database)


@api.post("/api/events/categories", status=201, role=Role.ADMIN)
def create_category(request: CategoryRequest, sql: Sql) -> Category:
    """Add a category. 409 `CATEGORY_EXISTS`: there is one of this name, in whatever case."""
    return categories.add(sql, request)


handler = api.handler
