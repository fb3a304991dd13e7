"""Addresses that nothing more is sent to: mails to them bounced, or their owner called one spam.

Every mail counts, a password reset too: providers stop sending for those who go on mailing such addresses. The ways
back: another address, a verification mail asked for again after a while (if the address bounced), or an operator.
"""

from datetime import datetime, timedelta

from functions.notifications import delivery_repository as repository
from functions.notifications.settings import RETRY_BOUNCED_HOURS
from shared.database import Sql

_REASONS = {
    "BOUNCED": "This address bounced an earlier mail, so nothing more is sent to it",
    "COMPLAINED": "An earlier mail to this address was reported as spam, so nothing more is sent to it",
}


class Suppressed(Exception):
    """Nothing is sent to this address; `reason` says why, in words that its owner may read."""

    def __init__(self, why: str) -> None:
        self.reason = _REASONS[why]
        super().__init__(self.reason)


def of(sql: Sql, email: str | None) -> str | None:
    """BOUNCED or COMPLAINED if nothing is sent to this address, else None."""
    return repository.suppression(sql, email.lower()) if email else None


def try_again(sql: Sql, email: str, at: datetime) -> None:
    """Somebody wants to prove that this address is theirs: a bounce is believed for a day, a complaint for ever."""
    repository.lift_bounce(sql, email.lower(), before=at - timedelta(hours=RETRY_BOUNCED_HOURS()))


def lift(sql: Sql, email: str) -> bool:
    """An operator knows that this address works, or that its owner wants mails again; False if it is not suppressed."""
    return repository.lift(sql, email.strip().lower())
