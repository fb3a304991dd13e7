"""The app as a later release may be, without two routes, a consumer with its queue, and a job: for the CDK to run.

What a release adds is taken away again by going back to the release before, so it stands for that as well.
"""

from types import ModuleType, SimpleNamespace
from typing import cast

import aws_cdk as cdk

import app
from cdk.service import Consumer, Ground, Row
from cdk.services import events, tickets

GONE = {"list_categories", "ticket_qr", "rebuild_sales"}
QUEUE = "events-payments"


def without(table: ModuleType) -> ModuleType:
    """A service's table with some of its rows."""

    def rows(on: Ground) -> list[Row]:
        return [row for row in table.rows(on) if row.name not in GONE and not _reads(row)]

    queues = [queue for queue in table.QUEUES if queue.name != QUEUE]
    return cast("ModuleType", SimpleNamespace(QUEUES=queues, rows=rows))


def _reads(row: Row) -> bool:
    return isinstance(row, Consumer) and row.queue == QUEUE


if __name__ == "__main__":
    app.TABLES |= {"events": without(events), "tickets": without(tickets)}
    smaller = cdk.App(analytics_reporting=False)
    app.build(smaller)
    smaller.synth()
