"""Going on with payments and refunds that stand still: their command was lost, or failed until it was set aside."""

from datetime import datetime

from functions.payments.repository import attempts, refunds
from shared import metrics, outbox
from shared.contracts import AttemptRequested, RefundRequested
from shared.database import Sql


def refund_again(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Send the command of refunds that are not done yet; how many. Each keeps its key, so none is paid out twice.

    One that is pending at the bank is asked for too, in case its webhook was lost.
    """
    found = refunds.take_unfinished(sql, at, older_than_seconds, limit)
    for row in found:
        command = RefundRequested(refund_id=row["id"], order_id=row["order_id"])
        outbox.send(sql, "payments-refunds", command, subject=row["order_id"])
    if found:
        metrics.count("payments", "RefundsSentAgain", len(found))
    return len(found)


def attempt_again(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Send the command of payment attempts that have no outcome yet; how many. Each keeps its key."""
    found = attempts.take_unfinished(sql, at, older_than_seconds, limit)
    for row in found:
        command = AttemptRequested(attempt_id=row["id"], order_id=row["order_id"])
        outbox.send(sql, "payments-attempts", command, subject=row["order_id"])
    if found:
        metrics.count("payments", "AttemptsSentAgain", len(found))
    return len(found)
