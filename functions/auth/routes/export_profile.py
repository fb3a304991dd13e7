"""POST /api/auth/profile/export: have everything that is held on one put together and mailed as a link."""

from functions.auth import exporting
from functions.auth.database import database
from functions.auth.models import ExportAccepted
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import User

api = Api("auth", database)


@api.post("/api/auth/profile/export", status=202)
def export_profile(user: User, sql: Sql) -> ExportAccepted:
    """Ask every service for what it holds. 429 `EXPORT_UNDER_WAY` while one is being made, and after some in a day."""
    exporting.request(sql, user.id, now())
    return ExportAccepted()


handler = api.handler
