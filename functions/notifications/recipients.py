"""Whom mails go to: copies of what auth says of its users."""

from datetime import datetime

from functions.notifications import repository
from shared.contracts import UserChanged
from shared.database import Sql


def remember(sql: Sql, user: UserChanged, *, version: int, changed_at: datetime) -> None:
    """Keep a user's address and names; an older message that arrives late changes nothing."""
    repository.save_recipient(
        sql,
        user_id=user.user_id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        version=version,
        changed_at=changed_at,
    )
