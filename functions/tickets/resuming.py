"""Finishing purchases that a crash left unfinished."""

from datetime import datetime

from functions.tickets import executions, notifying
from functions.tickets.repository import purchases
from shared.database import Database


def resume(database: Database, at: datetime, older_than_seconds: float, limit: int) -> int:
    """Look again at purchases whose buyer was told nothing yet; the number of them.

    One whose seats are bound has its saga started, which changes nothing if it runs. One that has ended lacks only
    its mail, which is asked for here.
    """
    with database.transaction() as sql:
        found = purchases.take_unfinished(sql, at, older_than_seconds, limit)
        for row in found:
            if row["status"] != "BOUND":
                notifying.notify(sql, row["order_id"], "issued" if row["status"] == "ISSUED" else "cancelled")
    for row in found:
        if row["status"] == "BOUND":
            executions.start(row["order_id"])
    return len(found)
