"""What the rules of auth hand around. Free of Pydantic, which the authorizer would pay for in every cold start."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from shared.identity import Role


@dataclass(frozen=True)
class UserRecord:
    """A user as the database knows it."""

    id: UUID
    email: str
    password_hash: str
    first_name: str
    last_name: str
    date_of_birth: date
    email_verified: bool
    role: Role
    version: int
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """A session at the moment it was started or refreshed; the only time its refresh token is known."""

    id: UUID
    user: UserRecord
    refresh_token: str
