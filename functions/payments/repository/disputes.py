"""SQL of disputes: what the buyer's bank has taken up of an order, and how it decided."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.payments.models import Dispute
from shared.database import Sql


def advance(
    sql: Sql, order_id: UUID, dispute_id: str, status: Dispute, amount: Decimal, at: datetime
) -> bool:
    """Take down how a dispute stands, and how much it is about; False if that is no news. The order is locked.

    A dispute is decided once: only an open one moves, and none opens again.
    """
    moved = sql.run(
        """
        INSERT INTO disputes (order_id, dispute_id, status, amount, updated_at)
        VALUES (%(order_id)s, %(dispute_id)s, %(status)s, %(amount)s, %(at)s)
        ON CONFLICT (order_id, dispute_id)
        DO UPDATE SET status = EXCLUDED.status, amount = EXCLUDED.amount, updated_at = EXCLUDED.updated_at
         WHERE disputes.status = 'OPEN' AND EXCLUDED.status <> 'OPEN'
        """,
        order_id=order_id,
        dispute_id=dispute_id,
        status=status,
        amount=amount,
        at=at,
    )
    return moved == 1


def any_open(sql: Sql, order_id: UUID) -> bool:
    """Whether a dispute of the order is undecided."""
    return (
        sql.one(
            "SELECT 1 AS found FROM disputes WHERE order_id = %(id)s AND status = 'OPEN' LIMIT 1", id=order_id
        )
        is not None
    )


def lost_amount(sql: Sql, order_id: UUID) -> Decimal:
    """How much banks have taken of an order's payment in disputes that were lost, by their word."""
    row = sql.one(
        "SELECT coalesce(sum(amount), 0) AS amount FROM disputes WHERE order_id = %(id)s AND status = 'LOST'",
        id=order_id,
    )
    assert row is not None
    lost: Decimal = row["amount"]
    return lost


def is_open(sql: Sql, order_id: UUID, dispute_id: str) -> bool:
    """Whether this one is undecided."""
    return (
        sql.one(
            """
            SELECT 1 AS found FROM disputes
             WHERE order_id = %(order_id)s AND dispute_id = %(dispute_id)s AND status = 'OPEN'
            """,
            order_id=order_id,
            dispute_id=dispute_id,
        )
        is not None
    )
