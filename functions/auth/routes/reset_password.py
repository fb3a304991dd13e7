"""POST /api/auth/reset-password: a new password; every session of the user ends."""

from functions.auth import accounts
from functions.auth.database import database
from functions.auth.models import ResetPasswordRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql

api = Api("auth", database)


@api.post("/api/auth/reset-password", status=204)
def reset_password(request: ResetPasswordRequest, sql: Sql) -> None:
    """Replace the password. 400 `INVALID_TOKEN`: the link is used, expired, or none of ours."""
    accounts.reset_password(sql, request.token, request.new_password, now())


handler = api.handler
