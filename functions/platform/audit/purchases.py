"""What the tickets service knows of a page of orders, and whether its states are the fold of their events."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.platform.audit import folds
from functions.platform.audit.findings import Findings, Invariant
from functions.platform.audit.histories import judge
from shared.database import Row, Sql

Quantities = Counter[UUID]  # of tickets, by their type


@dataclass(frozen=True)
class Purchase:
    """An order as tickets knows it; `changed_at` is when anything of it did last."""

    order_id: UUID
    status: str
    total_amount: Decimal
    currency: str
    wanted: Quantities
    valid: dict[UUID, UUID]  # tickets that open the door, each with its type
    void: dict[UUID, UUID]
    changed_at: datetime
    notified_outcome: str | None


def changed(sql: Sql, since: datetime, limit: int) -> list[UUID]:
    """The purchases that something happened to, the newest first."""
    rows = sql.all(
        """
        SELECT order_id, max(created_at) AS changed_at FROM purchase_events WHERE created_at >= %(since)s
         GROUP BY order_id ORDER BY changed_at DESC, order_id LIMIT %(limit)s
        """,
        since=since,
        limit=limit,
    )
    return [row["order_id"] for row in rows]


def read(sql: Sql, order_ids: list[UUID], findings: Findings) -> dict[UUID, Purchase]:
    """The purchases of these orders; what contradicts itself in them is reported."""
    purchases = {row["order_id"]: row for row in _purchases(sql, order_ids)}
    wanted: dict[UUID, Quantities] = defaultdict(Counter)
    for row in _reservations(sql, order_ids):
        wanted[row["order_id"]][row["ticket_type_id"]] += row["quantity"]
        if row["status"] != row["purchase_status"]:
            findings.add(
                Invariant.STOCK,
                "a reservation is not as its purchase",
                orderId=row["order_id"],
                reservationId=row["reservation_id"],
                status=row["status"],
                purchaseStatus=row["purchase_status"],
            )
    tickets: dict[UUID, list[Row]] = defaultdict(list)
    for row in _tickets(sql, order_ids):
        tickets[row["order_id"]].append(row)
    _judge_history(sql, purchases, tickets, findings)
    return {id_: _purchase(row, wanted[id_], tickets[id_]) for id_, row in purchases.items()}


def _purchase(row: Row, wanted: Quantities, tickets: list[Row]) -> Purchase:
    return Purchase(
        order_id=row["order_id"],
        status=row["status"],
        total_amount=row["total_amount"],
        currency=row["currency"],
        wanted=wanted,
        valid={ticket["id"]: ticket["ticket_type_id"] for ticket in tickets if ticket["status"] != "VOID"},
        void={ticket["id"]: ticket["ticket_type_id"] for ticket in tickets if ticket["status"] == "VOID"},
        changed_at=max([row["changed_at"], *(ticket["changed_at"] for ticket in tickets)]),
        notified_outcome=row["notified_outcome"],
    )


def _judge_history(
    sql: Sql, purchases: dict[UUID, Row], tickets: dict[UUID, list[Row]], findings: Findings
) -> None:
    of_purchase: dict[UUID, list[Row]] = defaultdict(list)
    for event in _purchase_events(sql, list(purchases)):
        of_purchase[event["order_id"]].append(event)
    for order_id, row in purchases.items():
        valid = sum(ticket["status"] != "VOID" for ticket in tickets[order_id])
        is_refused = row["late_payment"] == "REFUSED"
        state = row | {"valid_tickets": valid, "is_refused": is_refused}
        judge(findings, "a purchase", {"orderId": order_id}, folds.purchase, of_purchase[order_id], state)
    all_tickets = {ticket["id"]: ticket for of_order in tickets.values() for ticket in of_order}
    of_ticket: dict[UUID, list[Row]] = defaultdict(list)
    for event in _ticket_events(sql, list(all_tickets)):
        of_ticket[event["ticket_id"]].append(event)
    for ticket_id, row in all_tickets.items():
        ids = {"ticketId": ticket_id, "orderId": row["order_id"]}
        state = row | {"is_used": row["checked_in_at"] is not None}
        judge(findings, "a ticket", ids, folds.ticket, of_ticket[ticket_id], state)


def _purchases(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT p.order_id, p.status, p.version, p.total_amount, p.currency, p.late_payment, p.delivery_status,
               p.notified_outcome,
               coalesce((SELECT max(e.created_at) FROM purchase_events e WHERE e.order_id = p.order_id),
                        p.created_at) AS changed_at
          FROM purchases p WHERE p.order_id = ANY(%(ids)s)
        """,
        ids=order_ids,
    )


def _reservations(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT p.order_id, r.reservation_id, r.ticket_type_id, r.quantity, r.status, p.status AS purchase_status
          FROM purchases p JOIN ticket_reservations r ON r.reservation_id = p.reservation_id
         WHERE p.order_id = ANY(%(ids)s)
        """,
        ids=order_ids,
    )


def _tickets(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT k.id, k.order_id, k.ticket_type_id, k.status, k.version, k.checked_in_at,
               coalesce((SELECT max(e.created_at) FROM ticket_events e WHERE e.ticket_id = k.id),
                        k.created_at) AS changed_at
          FROM tickets k WHERE k.order_id = ANY(%(ids)s)
        """,
        ids=order_ids,
    )


def _purchase_events(sql: Sql, order_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT order_id, version, type, data FROM purchase_events
         WHERE order_id = ANY(%(ids)s) ORDER BY order_id, version
        """,
        ids=order_ids,
    )


def _ticket_events(sql: Sql, ticket_ids: list[UUID]) -> list[Row]:
    return sql.all(
        """
        SELECT ticket_id, version, type, data FROM ticket_events
         WHERE ticket_id = ANY(%(ids)s) ORDER BY ticket_id, version
        """,
        ids=ticket_ids,
    )
