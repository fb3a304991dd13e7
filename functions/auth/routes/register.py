"""POST /api/auth/register: open an account; a link to verify its address is mailed."""

from functions.auth import accounts
from functions.auth.database import database
from functions.auth.models import Account, RegisterRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql

api = Api("auth", database)


@api.post("/api/auth/register", status=201)
def register(request: RegisterRequest, sql: Sql) -> Account:
    """Open an account. 409 `EMAIL_TAKEN`: the address has one."""
    return accounts.register(sql, request, now())


handler = api.handler
