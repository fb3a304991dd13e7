"""PATCH /api/auth/profile: change one's name."""

from functions.auth import accounts
from functions.auth.database import database
from functions.auth.models import Profile, ProfileChange
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import User

api = Api("auth", database)


@api.patch("/api/auth/profile")
def update_profile(request: ProfileChange, user: User, sql: Sql) -> Profile:
    """Change the names that are given."""
    return accounts.change_profile(sql, user.id, request, now())


handler = api.handler
