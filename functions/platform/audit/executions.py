"""Invariant 5, the state machine: no execution of the purchase outlives its order."""

import os
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from functions.platform import settings
from functions.platform.audit.findings import Findings, Invariant, Scope
from shared import aws
from shared.database import Sql

_PAGE = 100
_ID_LENGTH = 36


def running(scope: Scope) -> dict[str, datetime]:
    """The executions that have been running since before everything came to rest, by name, and since when."""
    return {name: started for name, started in _executions() if started <= scope.at_rest}


def judge(tickets: Sql, executions: dict[str, datetime], scope: Scope, findings: Findings) -> None:
    """An execution that goes on although its purchase is over, its time to pay is, or there is no such purchase; and
    one that nobody knows a purchase of.
    """
    orders: dict[UUID, datetime] = {}
    for name, started in executions.items():
        order_id = _order(name)
        if order_id is None:
            # Somebody started it by hand, and it may charge somebody. That is no reason to look at nothing else.
            findings.add(
                Invariant.LIMITS,
                "an execution belongs to no purchase",
                execution=name,
                startedAt=started.isoformat(),
            )
        else:
            orders[order_id] = started
    _judge_orders(tickets, orders, scope, findings)


def _order(name: str) -> UUID | None:
    """The order of the execution; a purchase that is run again is named after it all the same: `<order id>-2`."""
    try:
        return UUID(name[:_ID_LENGTH])
    except ValueError:
        return None


def _judge_orders(tickets: Sql, orders: dict[UUID, datetime], scope: Scope, findings: Findings) -> None:
    ids = list(orders)
    for start in range(0, len(ids), settings.PAGE()):
        page = ids[start : start + settings.PAGE()]
        for order_id in sorted(set(page) - _under_way(tickets, page, scope)):
            findings.add(
                Invariant.LIMITS,
                "an execution outlived its purchase",
                orderId=order_id,
                startedAt=orders[order_id].isoformat(),
            )


def _executions() -> Iterator[tuple[str, datetime]]:
    pages = (
        aws.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(
            stateMachineArn=os.environ["PURCHASES_ARN"],
            statusFilter="RUNNING",
            PaginationConfig={"MaxItems": settings.EXECUTION_LIMIT(), "PageSize": _PAGE},
        )
    )
    for page in pages:
        for execution in page["executions"]:
            yield execution["name"], execution["startDate"]


def _under_way(sql: Sql, order_ids: list[UUID], scope: Scope) -> set[UUID]:
    """Those that are being paid, or that something happened to lately."""
    rows = sql.all(
        """
        SELECT p.order_id FROM purchases p
         WHERE p.order_id = ANY(%(ids)s)
           AND ((p.status = 'BOUND' AND p.pay_by > %(at_rest)s)
                OR EXISTS (SELECT FROM purchase_events e
                            WHERE e.order_id = p.order_id AND e.created_at > %(at_rest)s))
        """,
        ids=order_ids,
        at_rest=scope.at_rest,
    )
    return {row["order_id"] for row in rows}
