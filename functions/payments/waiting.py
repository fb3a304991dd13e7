"""A purchase waits for its payment by Step Functions' task token, which whoever learns of the money answers."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from functions.payments import charging, compensating, settling
from functions.payments.models import BOUGHT, AttemptStatus
from functions.payments.repository import attempts, orders, task_tokens
from functions.payments.saga_models import Reservation
from shared import outbox
from shared.database import Sql

UNAVAILABLE = "unavailable"
OVER_OUTPUT = {"outcome": "over"}
REFUNDED_OUTPUT = {"outcome": "refunded"}


def wait(
    sql: Sql, order_id: UUID, token: str, outcome: str, reservation: Reservation | None, at: datetime
) -> None:
    """Keep the token, or answer it at once if the money is there already.

    The order is locked while the token is written, so money either finds the token or is found here.

    Args:
        outcome: Charge's; after `unavailable` (Charge failed for good) its attempt is given up, so that the
            buyer may try again.
        reservation: what Charge was given: our database may have been away for it, and then the order is recorded here.
    """
    if outcome == UNAVAILABLE and reservation is not None:
        due = charging.begin(sql, reservation, at)
        if isinstance(due, charging.Due):
            charging.not_asked(sql, due)
    order = orders.lock(sql, order_id)
    if compensating.has_begun(sql, order_id):
        outbox.wake(sql, token, REFUNDED_OUTPUT, subject=order_id)
        return
    if order is not None and order.payment_status in BOUGHT:
        outbox.wake(sql, token, settling.PAID_OUTPUT, subject=order_id)
        return
    if order is not None and at >= order.pay_by:
        outbox.wake(sql, token, OVER_OUTPUT, subject=order_id)
        return
    task_tokens.keep(sql, order_id, token, at)
    if order is None or outcome != UNAVAILABLE:
        return
    attempt = attempts.open_of(sql, order_id)
    if attempt is not None:
        settling.fail(sql, order, attempt, AttemptStatus.FAILED, charging.UNAVAILABLE, at)


def stop(sql: Sql, order_id: UUID, reason: str, at: datetime) -> None:
    """The time to pay an order is over now: whoever waits for its money cancels the payment, or finds it paid.

    One that has not come here yet comes with a pay-by that is past, or ends at the one it was given.
    """
    order = orders.lock(sql, order_id)
    if order is None or not order.is_undecided:
        return
    if order.pay_by > at:
        order = orders.save(sql, replace(order, pay_by=at), "STOPPED", at, reason=reason)
    token = task_tokens.take(sql, order_id)
    if token is not None:
        outbox.wake(sql, token, OVER_OUTPUT, subject=order_id)
