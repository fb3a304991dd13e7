"""What notifications holds on a user, and what it forgets: address, names, and what mails said."""

from datetime import datetime
from uuid import UUID

from functions.notifications import mails, suppressions, wanted
from functions.notifications import privacy_repository as repository
from shared import privacy
from shared.contracts import UserErased
from shared.database import Sql
from shared.privacy import Records


def held(sql: Sql, user_id: UUID) -> Records:
    """The address book's entry, and the mails."""
    return privacy.held(sql, repository.HELD, user_id)


def erase(sql: Sql, user: UserErased, *, erased_at: datetime, at: datetime) -> None:
    """Forget the user; safe to do twice.

    One mail more goes out, to say that it is done; its record is blanked when it was sent, or is given up.
    """
    address = user.email.lower()
    privacy.mark_erased(sql, user.user_id, erased_at)
    repository.forget_recipient(sql, user.user_id, erased_at)
    unsent = repository.unsent(sql, user.user_id, address, erased_at)
    repository.forget_mails(sql, user.user_id)
    repository.forget_mails_to(sql, address, erased_at)
    suppressions.lift(sql, address)
    for row in unsent:
        if row["template_name"] != wanted.ACCOUNT_ERASED:
            mails.tell_given_up(
                sql,
                row["id"],
                row["user_id"],
                row["order_id"],
                row["template_name"],
                asked_at=row["created_at"],
            )
    privacy.forget_keys(sql, user.user_id)
    mails.ask(sql, wanted.account_erased(user), at)
