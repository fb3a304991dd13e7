"""What auth tells the others, and itself."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.base import Contract
from shared.wire import Instant


class UserChanged(Contract):
    """A user registered, or changed name, address or role; the whole of what others may keep."""

    TYPE: ClassVar[str] = "auth.user_changed.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: str


class VerificationRequested(Contract):
    """A verification link has to be mailed."""

    TYPE: ClassVar[str] = "auth.verification_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    token: str


class PasswordResetRequested(Contract):
    """A password-reset link has to be mailed."""

    TYPE: ClassVar[str] = "auth.password_reset_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    token: str


class NoLinkDue(Contract):
    """Nobody is to be mailed: published where an address asked for a link and has no account (or needs none).

    Consumers pass it over. It is there so that whoever asks cannot tell, by the time it takes, who has an account.
    """

    TYPE: ClassVar[str] = "auth.no_link_due.v1"
    SENSITIVE: ClassVar[bool] = True


class UserErased(Contract):
    """A user wants to be forgotten: every service erases or anonymises what it holds of the person.

    The address is there because some of what is held is known by the address alone.
    """

    TYPE: ClassVar[str] = "auth.user_erased.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str


class ExportRequested(Contract):
    """A user wants to see all that is held: every service writes its part and answers with `ExportPartReady`."""

    TYPE: ClassVar[str] = "auth.export_requested.v1"
    export_id: UUID
    user_id: UUID


class ExportPartReady(Contract):
    """Command to auth's own queue: a service has written its part of an export."""

    TYPE: ClassVar[str] = "auth.export_part_ready.v1"
    export_id: UUID
    user_id: UUID
    service: str


class ExportReady(Contract):
    """An export can be fetched by a link that has to be mailed."""

    TYPE: ClassVar[str] = "auth.export_ready.v1"
    SENSITIVE: ClassVar[bool] = True
    export_id: UUID
    user_id: UUID
    email: str
    first_name: str
    token: str
    expires_at: Instant


class ExportDiscarded(Contract):
    """Command to auth's own queue: nobody may see this export any more, its files have to go."""

    TYPE: ClassVar[str] = "auth.export_discarded.v1"
    export_id: UUID
    user_id: UUID
