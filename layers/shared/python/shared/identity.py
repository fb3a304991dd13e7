"""Who is calling, as auth's authorizer said it in the request context."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.errors import Unauthenticated


class Role(StrEnum):
    """The roles of the system; an admin passes wherever an organizer does."""

    ATTENDEE = "ATTENDEE"
    ORGANIZER = "ORGANIZER"
    ADMIN = "ADMIN"


@dataclass(frozen=True)
class User:
    """The signed-in caller."""

    id: UUID
    role: Role
    session_id: UUID
    token: str

    @property
    def is_admin(self) -> bool:
        """May do what any organizer may, and what only operators may."""
        return self.role is Role.ADMIN

    def may_act_for(self, owner_id: UUID) -> bool:
        """The owner, or an admin."""
        return self.is_admin or self.id == owner_id

    @classmethod
    def of(cls, event: dict[str, Any]) -> "User":
        """Read the authorizer's context of a REST proxy event."""
        context = (event.get("requestContext") or {}).get("authorizer") or {}
        try:
            header = next(v for k, v in (event.get("headers") or {}).items() if k.lower() == "authorization")
            return cls(
                UUID(context["userId"]),
                Role(context["role"]),
                UUID(context["sessionId"]),
                header.split(" ", 1)[1],
            )
        except (KeyError, ValueError, StopIteration, IndexError) as missing:
            raise Unauthenticated() from missing
