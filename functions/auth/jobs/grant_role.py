"""By an operator's hand, with {"email", "role"}: how the first admin comes to be. The user's sessions end."""

from typing import Any

from functions.auth import accounts
from functions.auth.database import database
from shared.clock import now
from shared.identity import Role
from shared.job import job


def grant_role(event: dict[str, Any]) -> int:
    """1: the user has the role."""
    email, role = str(event["email"]).strip().lower(), Role(event["role"])
    with database.transaction() as sql:
        accounts.grant_role(sql, email, role, now())
    return 1


handler = job("auth", grant_role)
