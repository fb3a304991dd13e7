"""POST /api/auth/verify-email: the mailed link came back."""

from functions.auth import accounts
from functions.auth.database import database
from functions.auth.models import Account, TokenRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql

api = Api("auth", database)


@api.post("/api/auth/verify-email")
def verify_email(request: TokenRequest, sql: Sql) -> Account:
    """Verify the address of an account. 400 `INVALID_TOKEN`: the link is used, expired, or none of ours."""
    return accounts.verify_email(sql, request.token, now())


handler = api.handler
