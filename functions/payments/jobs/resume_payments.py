"""Every minute: go on with refunds, payment attempts, late money and second payments that stand still.

What a provider should have told is followed up, too.
"""

from typing import Any

from functions.payments import late_money, resuming, second_payments, unheard
from functions.payments.database import database
from functions.payments.settings import (
    ASK_PROVIDER_SECONDS,
    ATTEMPT_STALL_SECONDS,
    FOLLOW_UP_DAYS,
    REFUND_STALL_SECONDS,
    RESUME_LIMIT,
    WEBHOOK_STALL_SECONDS,
)
from shared.clock import now
from shared.job import job


def resume_payments(event: dict[str, Any]) -> int:
    """The number sent on again; `{"olderThanSeconds": 0}` takes all that is not done."""
    refund_age = float(event.get("olderThanSeconds", REFUND_STALL_SECONDS()))
    attempt_age = float(event.get("olderThanSeconds", ATTEMPT_STALL_SECONDS()))
    webhook_age = float(event.get("olderThanSeconds", WEBHOOK_STALL_SECONDS()))
    unheard_age = float(event.get("olderThanSeconds", ASK_PROVIDER_SECONDS()))
    days, limit = FOLLOW_UP_DAYS(), RESUME_LIMIT()
    with database.transaction() as sql:
        return (
            resuming.refund_again(sql, now(), refund_age, limit)
            + resuming.attempt_again(sql, now(), attempt_age, limit)
            + late_money.ask_again(sql, now(), refund_age, limit)
            + second_payments.give_back_again(sql, now(), refund_age, limit)
            + unheard.webhook_again(sql, now(), webhook_age, days, limit)
            + unheard.ask_again(sql, now(), unheard_age, days, limit)
        )


handler = job("payments", resume_payments)
