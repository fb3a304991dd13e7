"""Every minute: go on with refunds, payment attempts, late money and second payments that stand still.

What a provider should have told is followed up, too.
"""

from collections.abc import Callable
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
from shared.database import Sql
from shared.job import job

Sweep = Callable[[Sql], int]


def resume_payments(event: dict[str, Any]) -> int:
    """The number sent on again; `{"olderThanSeconds": 0}` takes all that is not done."""
    refund_age = float(event.get("olderThanSeconds", REFUND_STALL_SECONDS()))
    attempt_age = float(event.get("olderThanSeconds", ATTEMPT_STALL_SECONDS()))
    webhook_age = float(event.get("olderThanSeconds", WEBHOOK_STALL_SECONDS()))
    unheard_age = float(event.get("olderThanSeconds", ASK_PROVIDER_SECONDS()))
    days, limit = FOLLOW_UP_DAYS(), RESUME_LIMIT()
    sweeps: list[Sweep] = [
        lambda sql: resuming.refund_again(sql, now(), refund_age, limit),
        lambda sql: resuming.attempt_again(sql, now(), attempt_age, limit),
        lambda sql: late_money.ask_again(sql, now(), refund_age, limit),
        lambda sql: second_payments.give_back_again(sql, now(), refund_age, limit),
        lambda sql: unheard.webhook_again(sql, now(), webhook_age, days, limit),
        lambda sql: unheard.ask_again(sql, now(), unheard_age, days, limit),
    ]
    return _run_each(sweeps)


def _run_each(sweeps: list[Sweep]) -> int:
    """Each in a transaction of its own: one that fails undoes no other, and holds none up."""
    taken, failures = 0, []
    for sweep in sweeps:
        try:
            with database.transaction() as sql:
                taken += sweep(sql)
        except Exception as failure:  # noqa: BLE001  # raised below, when the others have had their turn
            failures.append(failure)
    if failures:
        raise ExceptionGroup("sweeps that failed", failures)
    return taken


handler = job("payments", resume_payments)
