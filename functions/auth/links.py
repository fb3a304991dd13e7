"""Links mailed to a user: single use, expiring, kept only as a hash.

Whoever asks for one learns nothing: the statements, the message and the answer are the same whether or not the
address has an account.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from functions.auth import repository
from functions.auth.random_tokens import digest, new_token
from functions.auth.settings import LINKS_PER_HOUR, PASSWORD_RESET_MINUTES, VERIFICATION_HOURS
from shared import outbox
from shared.contracts import Contract, NoLinkDue, PasswordResetRequested, VerificationRequested
from shared.database import Sql
from shared.errors import BadInput, FieldError


class InvalidLink(BadInput):
    """400: no such link, or it is used or expired."""

    code = "INVALID_TOKEN"
    message = "This link is not valid, or not any more"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("token", self.message)])


def request_verification(sql: Sql, email: str, at: datetime) -> None:
    """Have a link mailed that verifies this address, if it has an account that is not verified yet."""
    _request(sql, "VERIFY", VerificationRequested, email, timedelta(hours=VERIFICATION_HOURS()), at)


def request_reset(sql: Sql, email: str, at: datetime) -> None:
    """Have a link mailed that lets the user with this address choose a new password, if there is such a user."""
    _request(sql, "RESET", PasswordResetRequested, email, timedelta(minutes=PASSWORD_RESET_MINUTES()), at)


def use(sql: Sql, kind: repository.Kind, token: str, at: datetime) -> UUID:
    """Use a link up, and with it any other of its kind; the user it was mailed to.

    Raises:
        InvalidLink: there is no such link, or it was used, or its time is over.
    """
    user_id = repository.use_link(sql, kind, digest(token), at)
    if user_id is None:
        raise InvalidLink()
    repository.void_links(sql, kind, user_id, at)
    return user_id


def _request(
    sql: Sql,
    kind: repository.Kind,
    message: type[VerificationRequested | PasswordResetRequested],
    email: str,
    life: timedelta,
    at: datetime,
) -> None:
    token = new_token()
    repository.lock_links(sql, email)
    due = repository.add_link(
        sql, kind, email, digest(token), expires_at=at + life, at=at, most=LINKS_PER_HOUR()
    )
    event: Contract = NoLinkDue()
    subject = uuid4()
    if due is not None:
        subject = due["id"]
        event = message(user_id=subject, email=due["email"], first_name=due["first_name"], token=token)
    outbox.publish(sql, event, subject=subject)
