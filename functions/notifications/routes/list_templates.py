"""GET /api/notifications/templates: every template, our own ones too."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.notifications import templates
from functions.notifications.database import database
from functions.notifications.models import TemplateAnswer
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("notifications", database)


@api.get("/api/notifications/templates", role=Role.ADMIN)
def list_templates(
    sql: Sql,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[TemplateAnswer]:
    """By name, with their texts."""
    return templates.page(sql, limit, cursor, now())


handler = api.handler
