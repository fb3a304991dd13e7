"""What payments holds on a user, and what it forgets. The fiscal record stays: order, lines, amounts, states, dates."""

from datetime import datetime
from uuid import UUID

from functions.payments.repository import buyers
from functions.payments.repository import privacy as repository
from shared import privacy
from shared.database import Sql
from shared.privacy import Records


def held(sql: Sql, user_id: UUID) -> Records:
    """Address and names; orders, payments, refunds and their history, also refunds given as an organizer."""
    return privacy.held(sql, repository.HELD, user_id)


def erase(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Forget the user; safe to do twice."""
    privacy.mark_erased(sql, user_id, at)
    repository.lock_orders(sql, user_id)
    repository.forget_orders(sql, user_id)
    repository.forget_payments(sql, user_id)
    repository.forget_refunds(sql, user_id)
    buyers.erase(sql, user_id, at)
    privacy.forget_keys(sql, user_id)
