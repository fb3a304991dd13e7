"""POST /api/auth/logout: end the session, at once."""

from functions.auth import sessions
from functions.auth.database import database
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import User

api = Api("auth", database)


@api.post("/api/auth/logout", status=204, during_maintenance=True)
def logout(user: User, sql: Sql) -> None:
    """End the session; its access and refresh tokens stop working."""
    sessions.end(sql, user.id, user.session_id, now())


handler = api.handler
