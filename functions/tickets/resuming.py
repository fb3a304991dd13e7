"""Finishing purchases that a crash left unfinished."""

from datetime import datetime
from uuid import UUID

from functions.tickets import executions, notifying
from functions.tickets.repository import purchases
from shared import metrics
from shared.database import Database
from shared.log import correlation_id, follow, logger

log = logger("tickets")


def resume(database: Database, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Look again at purchases whose buyer was told nothing yet; the number of them.

    One whose seats are bound has its saga started, which changes nothing if it runs. If it is over, a task failed for
    good, and the saga is run again from its beginning: each task finds what was done, and goes on from there. A
    purchase that has ended lacks only its mail, which is asked for here.
    """
    with database.transaction() as sql:
        found = purchases.take_unfinished(sql, at, older_than_seconds, limit)
        own = correlation_id()
        for row in found:
            if row["status"] != "BOUND":
                follow(log, row["correlation_id"] or own)
                notifying.notify(sql, row["order_id"], "issued" if row["status"] == "ISSUED" else "cancelled")
        follow(log, own)
    metrics.gauge("tickets", "OldestPurchaseSeconds", oldest_seconds(database, at))
    for row in found:
        if row["status"] == "BOUND":
            _run(database, row["order_id"], row["correlation_id"], row["saga_runs"])
    return len(found)


def oldest_seconds(database: Database, at: datetime) -> float:
    """How long the oldest purchase has been under way whose buyer was told nothing; 0 if there is none."""
    with database.reading() as sql:
        oldest = purchases.oldest_unfinished(sql)
    return max(0.0, (at - oldest).total_seconds()) if oldest else 0.0


def _run(database: Database, order_id: UUID, correlation_id: str | None, run: int) -> None:
    if executions.start(order_id, correlation_id, run):
        return
    with database.transaction() as sql:
        is_next = purchases.count_run(sql, order_id, run)
    if is_next:
        metrics.count("tickets", "PurchasesRunAgain")
        executions.start(order_id, correlation_id, run + 1)
