"""Whom mails go to: copies of what auth says of its users."""

import re
from datetime import datetime

from functions.notifications import repository
from shared.contracts import UserChanged
from shared.database import Sql

LONGEST_NAME = 40
_LETTERS = r"[^\W\d_]+"
_NAME = re.compile(rf"{_LETTERS}(?:[ '’-]{_LETTERS}|\. {_LETTERS}){{0,3}}\.?")


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


def greeting(first_name: str) -> str:
    """The name as a mail may say it; empty if it is more than a name.

    Whoever registers somebody else's address has us write to it: the name must not be the message. So letters, and what
    stands between them in names, of a name's length; nothing that a mail program makes a link of.
    """
    return first_name if len(first_name) <= LONGEST_NAME and _NAME.fullmatch(first_name) else ""
