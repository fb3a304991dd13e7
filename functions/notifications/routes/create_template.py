"""POST /api/notifications/templates: add a template (201), or write over the one of that name (200)."""

from functions.notifications import templates
from functions.notifications.database import database
from functions.notifications.models import TemplateAnswer, TemplateRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role
from shared.responses import WithStatus

api = Api("notifications", database)


@api.post("/api/notifications/templates", status=201, role=Role.ADMIN)
def create_template(request: TemplateRequest, sql: Sql) -> TemplateAnswer | WithStatus:
    """Jinja2, in a sandbox. Each part is tried with sample data first, and one that does not render is refused."""
    answer, created = templates.save(sql, request, now())
    return answer if created else WithStatus(200, answer)


handler = api.handler
