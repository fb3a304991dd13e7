"""The shapes of the auth service: what it is sent, what it answers."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from functions.auth.records import UserRecord
from functions.auth.settings import PASSWORD_MIN_LENGTH
from shared.clock import now
from shared.identity import Role
from shared.wire import Answer, Body, Instant, person_name

MAX_PASSWORD_LENGTH = 128

# What browsers accept in <input type=email> (https://html.spec.whatwg.org/#valid-e-mail-address), without stray dots,
# and with a dot in the domain, since no mail provider delivers to a bare host.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")


def _an_address(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise ValueError("Not an e-mail address")
    return text.lower()


def _long_enough(password: str) -> str:
    if len(password) < PASSWORD_MIN_LENGTH():
        raise ValueError(f"At least {PASSWORD_MIN_LENGTH()} characters")
    return password


def _a_calendar_date(value: Any) -> Any:
    # Pydantic would also take 0 for 1970-01-01.
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return value
    raise ValueError("Must be a date like 1990-12-31")


def _of_someone_alive(born: date) -> date:
    today = now().date()
    if not today.year - 130 <= born.year or born >= today:
        raise ValueError("Must be in the past, and of someone alive")
    return born


Email = Annotated[str, Field(max_length=254), AfterValidator(_an_address)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(person_name)]
# Blanks at its ends belong to a password.
Secret = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1000)]
NewPassword = Annotated[
    str,
    StringConstraints(strip_whitespace=False, max_length=MAX_PASSWORD_LENGTH),
    AfterValidator(_long_enough),
    Field(description="10 to 128 characters"),
]
DateOfBirth = Annotated[date, BeforeValidator(_a_calendar_date), AfterValidator(_of_someone_alive)]


class RegisterRequest(Body):
    """A new account; a link to verify its address is mailed."""

    email: Email
    password: NewPassword
    first_name: Name
    last_name: Name
    date_of_birth: DateOfBirth
    account_type: Literal["ATTENDEE", "ORGANIZER"] = "ATTENDEE"


class TokenRequest(Body):
    """The token of a mailed link."""

    token: Secret


class EmailRequest(Body):
    """An address that may or may not have an account."""

    email: Email


class LoginRequest(Body):
    """Address and password."""

    email: Email
    password: Secret


class RefreshRequest(Body):
    """The refresh token of the last sign-in or refresh."""

    refresh_token: Secret


class ResetPasswordRequest(Body):
    """The token of a mailed link, and the password to have from now on."""

    token: Secret
    new_password: NewPassword


class ProfileChange(Body):
    """What a user may change; what is left out stays."""

    first_name: Name | None = None
    last_name: Name | None = None


class PasswordRequest(Body):
    """One's own password, for what a stolen token must not be enough for."""

    password: Secret


class ExportAccepted(Answer):
    """An export is being made."""

    message: str = "What we hold on you is being put together: a link to it will be mailed"


class ErasureAccepted(Answer):
    """The account is gone, and every service forgets its user."""

    message: str = "Your account is closed, and what we hold on you is being erased"


class Account(Answer):
    """An account, as much as registering and verifying say of it."""

    user_id: UUID
    email: str
    email_verified: bool


class Profile(Answer):
    """What an account holds about its user."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    date_of_birth: date
    email_verified: bool
    role: Role
    created_at: Instant

    @classmethod
    def of(cls, user: UserRecord) -> "Profile":
        """The part of the record that is the user's to see."""
        return cls(
            user_id=user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            date_of_birth=user.date_of_birth,
            email_verified=user.email_verified,
            role=user.role,
            created_at=user.created_at,
        )


class Accepted(Answer):
    """What is said of a link, whether or not one will be mailed."""

    message: str = "If this address has an account, a link is on its way"


class SignedIn(Answer):
    """Tokens of a session; `expires_in` is the access token's life in seconds."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # the scheme's name
    expires_in: int
    refresh_token: str
    user: Profile


class JwkSet(Answer):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, Any]]
