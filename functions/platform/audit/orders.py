"""What payments knows of a page of orders, and whether their states are the fold of their events."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.platform.audit import folds
from functions.platform.audit.findings import Findings
from functions.platform.audit.histories import judge
from shared.database import Row, Sql

UNDECIDED = ("PENDING", "REQUIRES_ACTION", "PAYMENT_FAILED")


@dataclass(frozen=True)
class Order:
    """An order as payments knows it.

    Attributes:
        items: how many tickets it is for, by type.
        shown: the tickets that its buyer is shown as valid; None before they are known here.
        refunded, named: tickets of refunds that succeeded; tickets of any refund, whatever became of it.
        changed_at: when anything of it did last.
    """

    id: UUID
    status: str
    provider: str
    payment_id: str | None
    total_amount: Decimal
    currency: str
    captured_amount: Decimal
    refunding_amount: Decimal
    refunded_amount: Decimal
    pay_by: datetime
    items: Counter[UUID]
    shown: set[UUID] | None
    refunded: set[UUID]
    named: set[UUID]
    has_failed_refund: bool
    changed_at: datetime


def changed(sql: Sql, since: datetime, limit: int) -> list[UUID]:
    """The orders that something happened to, the newest first."""
    rows = sql.all(
        """
        SELECT order_id, max(created_at) AS changed_at FROM order_events WHERE created_at >= %(since)s
         GROUP BY order_id ORDER BY changed_at DESC, order_id LIMIT %(limit)s
        """,
        since=since,
        limit=limit,
    )
    return [row["order_id"] for row in rows]


def read(sql: Sql, order_ids: list[UUID], findings: Findings) -> dict[UUID, Order]:
    """These orders; what contradicts itself in them is reported."""
    rows = _orders(sql, order_ids)
    items: dict[UUID, Counter[UUID]] = defaultdict(Counter)
    for item in _items(sql, order_ids):
        items[item["order_id"]][item["ticket_type_id"]] += item["quantity"]
    refunds: dict[UUID, list[Row]] = defaultdict(list)
    for refund in _refunds(sql, order_ids):
        refunds[refund["order_id"]].append(refund)
    events: dict[UUID, list[Row]] = defaultdict(list)
    for event in _events(sql, order_ids):
        events[event["order_id"]].append(event)
    for row in rows:
        judge(findings, "an order", {"orderId": row["id"]}, folds.order, events[row["id"]], row)
    return {row["id"]: _order(row, items[row["id"]], refunds[row["id"]]) for row in rows}


def _order(row: Row, items: Counter[UUID], refunds: list[Row]) -> Order:
    shown = row["tickets"]
    succeeded = [refund for refund in refunds if refund["status"] == "SUCCEEDED"]
    return Order(
        id=row["id"],
        status=row["payment_status"],
        provider=row["payment_method"],
        payment_id=row["payment_gateway_transaction_id"],
        total_amount=row["total_amount"],
        currency=row["currency"],
        captured_amount=row["captured_amount"],
        refunding_amount=row["refunding_amount"],
        refunded_amount=row["refunded_amount"],
        pay_by=row["pay_by"],
        items=items,
        shown=None if shown is None else {UUID(t["id"]) for t in shown if t["status"] != "VOID"},
        refunded={id_ for refund in succeeded for id_ in refund["ticket_ids"]},
        named={id_ for refund in refunds for id_ in refund["ticket_ids"]},
        has_failed_refund=any(refund["status"] == "FAILED" for refund in refunds),
        changed_at=row["changed_at"],
    )


def _orders(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT o.id, o.payment_status, o.payment_method, o.payment_gateway_transaction_id, o.total_amount,
               o.currency, o.captured_amount, o.refunding_amount, o.refunded_amount, o.pay_by, o.tickets,
               o.dispute, o.mail_status, o.version,
               coalesce((SELECT max(e.created_at) FROM order_events e WHERE e.order_id = o.id),
                        o.created_at) AS changed_at
          FROM orders o WHERE o.id = ANY(%(ids)s)
        """,
        ids=order_ids,
    )


def _items(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        "SELECT order_id, ticket_type_id, quantity FROM order_items WHERE order_id = ANY(%(ids)s)",
        ids=order_ids,
    )


def _refunds(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        "SELECT order_id, cause, status, ticket_ids FROM refunds WHERE order_id = ANY(%(ids)s)", ids=order_ids
    )


def _events(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT order_id, version, type, data FROM order_events
         WHERE order_id = ANY(%(ids)s) ORDER BY order_id, version
        """,
        ids=order_ids,
    )
