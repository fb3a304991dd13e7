"""Accounts: registering, verifying, changing, and giving a role."""

from datetime import datetime
from uuid import UUID

from functions.auth import links, passwords, repository, sessions, sign_in
from functions.auth.models import Account, Profile, ProfileChange, RegisterRequest
from functions.auth.records import UserRecord
from shared import outbox
from shared.contracts import UserChanged
from shared.database import Refused, Sql
from shared.errors import Conflict, FieldError, NotFound
from shared.identity import Role


class EmailTaken(Conflict):
    """409: the address has an account already."""

    code = "EMAIL_TAKEN"
    message = "This e-mail address has an account already"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("email", self.message)])


def register(sql: Sql, request: RegisterRequest, at: datetime) -> Account:
    """Open an account and have the link mailed that verifies its address.

    Raises:
        EmailTaken: the unique constraint says so, whatever happens at the same time.
    """
    try:
        user = repository.add_user(
            sql,
            email=request.email,
            password_hash=passwords.hashed(request.password),
            first_name=request.first_name,
            last_name=request.last_name,
            date_of_birth=request.date_of_birth,
            role=Role(request.account_type),
            at=at,
        )
    except Refused as refused:
        if refused.constraint == "users_email_is_unique":
            raise EmailTaken() from refused
        raise
    _tell(sql, user)
    links.request_verification(sql, user.email, at)
    return _account(user)


def verify_email(sql: Sql, token: str, at: datetime) -> Account:
    """The link came back: the address is the user's.

    Raises:
        InvalidLink: see `links.use`.
    """
    return _account(_existing(repository.set_verified(sql, links.use(sql, "VERIFY", token, at), at)))


def reset_password(sql: Sql, token: str, new_password: str, at: datetime) -> None:
    """Replace the password and end every session of the user.

    The user comes before the sessions: see `repository.add_session`.

    Raises:
        InvalidLink: see `links.use`.
    """
    user_id = links.use(sql, "RESET", token, at)
    user = _existing(repository.set_password(sql, user_id, passwords.hashed(new_password), at))
    sessions.end_all(sql, user.id, at)
    sign_in.forgive(sql, user.email)


def profile(sql: Sql, user_id: UUID) -> Profile:
    """What the account holds about its user."""
    return Profile.of(_existing(repository.user(sql, user_id)))


def change_profile(sql: Sql, user_id: UUID, change: ProfileChange, at: datetime) -> Profile:
    """Change the names that are given, and tell the services that keep them."""
    if change.first_name is None and change.last_name is None:
        return profile(sql, user_id)
    user = _existing(repository.rename(sql, user_id, change.first_name, change.last_name, at))
    _tell(sql, user)
    return Profile.of(user)


def grant_role(sql: Sql, email: str, role: Role, at: datetime) -> None:
    """Give a user another role. Tokens name the role, so the user's sessions end and it holds at once.

    Raises:
        NotFound: nobody has this address.
    """
    user = _existing(repository.set_role(sql, email, role, at))
    sessions.end_all(sql, user.id, at)
    _tell(sql, user)


def _tell(sql: Sql, user: UserRecord) -> None:
    changed = UserChanged(
        user_id=user.id,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=user.role,
    )
    outbox.publish(sql, changed, subject=user.id, version=user.version)


def _existing(user: UserRecord | None) -> UserRecord:
    if user is None:
        raise NotFound()
    return user


def _account(user: UserRecord) -> Account:
    return Account(user_id=user.id, email=user.email, email_verified=user.email_verified)
