"""GET /api/auth/profile: what the account holds about its user."""

from functions.auth import accounts
from functions.auth.database import database
from functions.auth.models import Profile
from shared.api import Api
from shared.database import Sql
from shared.identity import User

api = Api("auth", database)


@api.get("/api/auth/profile")
def get_profile(user: User, sql: Sql) -> Profile:
    """One's own profile."""
    return accounts.profile(sql, user.id)


handler = api.handler
