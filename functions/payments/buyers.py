"""Who the buyers are: copies of what auth says of its users, for organizers to find an order by name or address."""

from datetime import datetime
from uuid import UUID

from functions.payments.repository import buyers as repository
from shared.contracts import UserChanged
from shared.database import Sql


def remember(sql: Sql, user: UserChanged, version: int) -> None:
    """Keep a user's address and names; an older message that arrives late, or one of the erased, changes nothing."""
    repository.put(
        sql,
        user.user_id,
        version=version,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
    )


def erase(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Forget a person for good; their orders stay, without a name."""
    repository.erase(sql, user_id, at)
