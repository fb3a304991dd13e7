"""Erasing an account: the person goes, the id stays for the records that must be kept."""

from datetime import datetime
from uuid import UUID

from functions.auth import exporting, passwords, repository, sessions, sign_in
from functions.auth import privacy_repository as privacy_sql
from functions.auth.records import UserRecord
from functions.auth.sign_in import Attempt
from shared import outbox, privacy
from shared.contracts import UserErased
from shared.database import Sql
from shared.errors import Conflict, Unauthenticated
from shared.identity import Role


class LastAdmin(Conflict):
    """409: without this account nobody could administer the system."""

    code = "LAST_ADMIN"
    message = "The last administrator cannot be erased: give somebody else the role first"


def begin(sql: Sql, user_id: UUID, address: str, at: datetime) -> Attempt:
    """Count the attempt as a sign-in's: whoever has a stolen token may not guess passwords here either.

    Raises:
        TooManyRequests: too many failures lately.
    """
    user = repository.user(sql, user_id)
    if user is None:
        raise Unauthenticated()
    return sign_in.begin(sql, user.email, address, at)


def erase(sql: Sql, user: UserRecord, at: datetime) -> None:
    """Erase the account, and have every service forget the person.

    Links come before the user, and the user before the sessions, as everywhere (see `accounts.reset_password`).

    Raises:
        LastAdmin: nobody else has the role.
        InvalidCredentials: the password or the role was changed meanwhile, or the account erased.
    """
    sign_in.forgive(sql, user.email)
    privacy_sql.delete_links(sql, user.id)
    if user.role is Role.ADMIN and privacy_sql.lock_admins(sql) == [user.id]:
        raise LastAdmin()
    version = privacy_sql.erase_user(
        sql,
        user.id,
        role=user.role,
        password_hash=user.password_hash,
        no_password=passwords.NOBODYS_HASH,
        at=at,
    )
    if version is None:
        raise sign_in.InvalidCredentials()
    privacy.mark_erased(sql, user.id, at)
    sessions.end_all(sql, user.id, at)
    exporting.discard(sql, user.id)
    privacy.forget_keys(sql, user.id)
    erased = UserErased(user_id=user.id, email=user.email, first_name=user.first_name)
    outbox.publish(sql, erased, subject=user.id, version=version)
