"""Signing in: who is kept waiting, and whose password is right.

An attempt counts as failed before the password is looked at and is forgiven once it was right, and attempts from one
address are counted one after the other. So guesses made at the same time count each other, and none too many passes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

from functions.auth import passwords, repository, sessions
from functions.auth.random_tokens import digest
from functions.auth.records import Session, UserRecord
from functions.auth.settings import (
    SIGN_IN_FAILURES_PER_ACCOUNT,
    SIGN_IN_FAILURES_PER_ADDRESS,
    SIGN_IN_WINDOW_MINUTES,
)
from shared.database import Sql
from shared.errors import Forbidden, TooManyRequests, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """401: no such account, or not its password; which of them is not said."""

    code = "INVALID_CREDENTIALS"
    message = "E-mail address or password is wrong"


class EmailNotVerified(Forbidden):
    """403: the password is right, but the address has not been verified."""

    code = "EMAIL_NOT_VERIFIED"
    message = "Verify your e-mail address first"


@dataclass(frozen=True)
class Attempt:
    """Somebody at `address` claims to be the user with this e-mail address; `user` is None if there is none."""

    email: str
    address: str
    user: UserRecord | None


def begin(sql: Sql, email: str, address: str, at: datetime) -> Attempt:
    """Count the attempt, and look the account up.

    Raises:
        TooManyRequests: too many failures lately; this attempt does not prolong the wait.
    """
    window = timedelta(minutes=SIGN_IN_WINDOW_MINUTES())
    account, address = digest(email), _place(address)
    repository.lock_failures(sql, address)
    failed = repository.failures(sql, account, address, since=at - window)
    for count, oldest, most in (
        (failed["here"], failed["oldest_here"], SIGN_IN_FAILURES_PER_ACCOUNT()),
        (failed["anywhere"], failed["oldest_anywhere"], SIGN_IN_FAILURES_PER_ADDRESS()),
    ):
        if count >= most:
            raise TooManyRequests(retry_after=max(1, ceil((oldest + window - at).total_seconds())))
    repository.add_failure(sql, account, address, at)
    return Attempt(email, address, repository.user_by_email(sql, email))


def check(attempt: Attempt, password: str) -> UserRecord:
    """The user, if the password is right. 20 ms of work either way, so no transaction should be open.

    Raises:
        InvalidCredentials: it is not.
    """
    right = passwords.matches(password, attempt.user.password_hash if attempt.user else None)
    if not right or attempt.user is None:
        raise InvalidCredentials()
    return attempt.user


def complete(sql: Sql, attempt: Attempt, user: UserRecord, at: datetime) -> Session | None:
    """Forgive the failures and start a session; None, if the user has to verify the address first.

    Raises:
        InvalidCredentials: the password or the role was changed meanwhile; a token would name the one of before.
    """
    repository.forget_failures(sql, digest(attempt.email), attempt.address)
    if not user.email_verified:
        return None
    session = sessions.start(sql, user, at)
    if session is None:
        raise InvalidCredentials()
    return session


def _place(address: str) -> str:
    """The address, or its network where every customer has 2^64 of them: RFC 6177."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def forgive(sql: Sql, email: str) -> None:
    """Forget failed sign-ins to an account: its user has another password now."""
    repository.forget_failures(sql, digest(email), None)
