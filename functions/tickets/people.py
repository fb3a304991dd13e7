"""What tickets holds on a user, and what it forgets.

A ticket that was bought stays good without a name: its QR code is the proof. Orders, amounts and states stay.
"""

from datetime import datetime
from uuid import UUID

from functions.tickets import holds
from functions.tickets.repository import privacy as repository
from shared import privacy
from shared.database import Sql
from shared.privacy import Records


def held(sql: Sql, user_id: UUID) -> Records:
    """Holds, orders, tickets and their use, and what the user sells as an organizer."""
    return privacy.held(sql, repository.HELD, user_id)


def erase(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Forget the user, and put on sale again what is held and not being bought; safe to do twice.

    Locks are taken as everybody takes them: purchases by id, then ticket types by id.
    """
    privacy.mark_erased(sql, user_id, at)
    repository.lock_purchases(sql, user_id)
    holds.release_all(sql, user_id)
    repository.forget_purchases(sql, user_id)
    repository.forget_holders(sql, user_id)
    repository.forget_stock_of_drafts(sql, user_id)
    repository.delete_types_of_drafts(sql, user_id)
    repository.delete_drafts(sql, user_id)
    privacy.forget_keys(sql, user_id)
