"""What events holds on a user, and what it forgets: drafts. What was published stays, as a record of business."""

from datetime import datetime
from uuid import UUID

from functions.events import privacy_repository as repository
from functions.events import sales_repository
from shared import privacy
from shared.database import Sql
from shared.privacy import Records


def held(sql: Sql, user_id: UUID) -> Records:
    """Events that the user organizes, drafts included."""
    return privacy.held(sql, repository.HELD, user_id)


def erase(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Forget the user; safe to do twice."""
    privacy.mark_erased(sql, user_id, at)
    for event_id in repository.delete_drafts(sql, user_id):
        sales_repository.lock(sql, event_id)
        sales_repository.forget(sql, event_id)
        repository.forget_log(sql, event_id)
    privacy.forget_keys(sql, user_id)
