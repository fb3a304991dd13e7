"""Invariant 4: every issued order has its confirmation mail, or a recorded reason why it has none; no other has one.

A mail's key is unique, so that there are never two; a second copy of the one leaves only with another attempt.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from functions.platform.audit.findings import Findings, Invariant, Scope
from functions.platform.audit.purchases import Purchase
from shared.database import Sql

KEY = "order-confirmation:"


@dataclass(frozen=True)
class Mail:
    """An order's confirmation."""

    order_id: UUID
    status: str
    attempts: int
    changed_at: datetime


def read(sql: Sql, order_ids: list[UUID]) -> dict[UUID, Mail]:
    """The confirmations of these orders."""
    rows = sql.all(
        """
        SELECT order_id, status, attempts, updated_at FROM notifications
         WHERE order_id = ANY(%(ids)s) AND mail_key = %(key)s || order_id
        """,
        ids=order_ids,
        key=KEY,
    )
    return {
        row["order_id"]: Mail(row["order_id"], row["status"], row["attempts"], row["updated_at"])
        for row in rows
    }


def judge(purchase: Purchase, mail: Mail | None, findings: Findings, scope: Scope) -> None:
    """The mail of a purchase at rest. One that was tried and is due again is on its way: it ends within a day."""
    if purchase.status != "ISSUED":
        if mail is not None and not purchase.void:
            findings.add(
                Invariant.MAIL, "a confirmation of an order that never had tickets", orderId=purchase.order_id
            )
        return
    if mail is None:
        findings.add(Invariant.MAIL, "an issued order has no confirmation", orderId=purchase.order_id)
    elif mail.status == "PENDING" and (mail.attempts == 0 or scope.is_final):
        findings.add(Invariant.MAIL, "a confirmation was not sent", orderId=purchase.order_id)
