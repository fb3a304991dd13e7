"""POST /api/auth/forgot-password: mail a link; neither the answer nor its time says whether there is an account."""

from functions.auth import links
from functions.auth.database import database
from functions.auth.models import Accepted, EmailRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql

api = Api("auth", database)


@api.post("/api/auth/forgot-password", status=202)
def forgot_password(request: EmailRequest, sql: Sql) -> Accepted:
    """Mail a link that lets the user choose a new password, if there is such a user."""
    links.request_reset(sql, request.email, now())
    return Accepted()


handler = api.handler
