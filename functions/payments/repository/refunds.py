"""SQL of refunds: what was asked for, and what the provider made of it."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from functions.payments.models import Order, Refund, RefundStatus
from shared.database import Row, Sql, record


def create(
    sql: Sql,
    refund_id: UUID,
    order_id: UUID,
    amount: Decimal,
    reason: str,
    at: datetime,
    *,
    cause: str,
    ticket_ids: list[UUID],
    requested_by: UUID | None = None,
) -> None:
    """Record that money is to be given back; the caller changes the order's amounts in the same transaction."""
    sql.run(
        """
        INSERT INTO refunds (id, order_id, cause, requested_by, amount, reason, ticket_ids, status, created_at,
                             updated_at)
        VALUES (%(id)s, %(order_id)s, %(cause)s, %(requested_by)s, %(amount)s, %(reason)s, %(ticket_ids)s::uuid[],
                'REQUESTED', %(at)s, %(at)s)
        """,
        id=refund_id,
        order_id=order_id,
        cause=cause,
        requested_by=requested_by,
        amount=amount,
        reason=reason,
        ticket_ids=ticket_ids,
        at=at,
    )


def create_made(
    sql: Sql,
    order_id: UUID,
    amount: Decimal,
    reason: str,
    at: datetime,
    *,
    cause: str,
    ticket_ids: list[UUID],
) -> Refund:
    """Record money that went back without our asking; the caller changes the order's amounts, as with `create`."""
    refund_id = uuid4()
    create(sql, refund_id, order_id, amount, reason, at, cause=cause, ticket_ids=ticket_ids)
    finish(sql, refund_id, RefundStatus.SUCCEEDED, at, gateway_refund_id=None)
    refund = get(sql, refund_id)
    assert refund is not None
    return refund


def get(sql: Sql, refund_id: UUID) -> Refund | None:
    """A refund."""
    return _refund(sql.one("SELECT * FROM refunds WHERE id = %(id)s", id=refund_id))


def by_gateway_id(sql: Sql, gateway_refund_id: str) -> Refund | None:
    """The refund that the provider knows by this id."""
    return _refund(sql.one("SELECT * FROM refunds WHERE gateway_refund_id = %(id)s", id=gateway_refund_id))


def of_order(sql: Sql, order_id: UUID) -> list[Refund]:
    """Every refund of an order, oldest first."""
    rows = sql.all("SELECT * FROM refunds WHERE order_id = %(id)s ORDER BY created_at", id=order_id)
    return [refund for refund in map(_refund, rows) if refund is not None]


def number_asked_for(sql: Sql, order_id: UUID) -> int:
    """How many refunds of the (locked) order somebody asked for that have not failed."""
    row = sql.one(
        """
        SELECT count(*) AS n FROM refunds
         WHERE order_id = %(id)s AND cause = 'REQUESTED' AND status <> 'FAILED'
        """,
        id=order_id,
    )
    assert row is not None
    return int(row["n"])


def taken_by_bank(sql: Sql, order_id: UUID) -> Decimal:
    """How much of an order's money went back through the buyer's bank, in disputes that were lost."""
    row = sql.one(
        """
        SELECT coalesce(sum(amount), 0) AS amount FROM refunds
         WHERE order_id = %(id)s AND cause = 'DISPUTE_LOST' AND status = 'SUCCEEDED'
        """,
        id=order_id,
    )
    assert row is not None
    taken: Decimal = row["amount"]
    return taken


def finish(
    sql: Sql, refund_id: UUID, status: RefundStatus, at: datetime, *, gateway_refund_id: str | None
) -> bool:
    """Say what became of a refund; False if this was said before. A success may turn into a failure, never back."""
    return (
        sql.run(
            """
            UPDATE refunds SET status = %(status)s,
                               gateway_refund_id = COALESCE(%(gateway_refund_id)s, gateway_refund_id),
                               updated_at = %(at)s
             WHERE id = %(id)s
               AND (status = 'REQUESTED' OR (status = 'SUCCEEDED' AND %(status)s = 'FAILED'))
            """,
            id=refund_id,
            status=status,
            gateway_refund_id=gateway_refund_id,
            at=at,
        )
        == 1
    )


def note_failure(sql: Sql, refund_id: UUID, failure: str, at: datetime) -> None:
    """Keep why the provider did not give it back, in the provider's word."""
    sql.run(
        "UPDATE refunds SET failure = %(failure)s, updated_at = %(at)s WHERE id = %(id)s",
        id=refund_id,
        failure=failure[:255],
        at=at,
    )


def take_unfinished(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[Row]:
    """Refunds (id, order_id) without an outcome that nobody touched for so long; marked as looked at.

    Two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE refunds SET updated_at = %(at)s
         WHERE id IN (
            SELECT id FROM refunds
             WHERE status = 'REQUESTED' AND updated_at <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id, order_id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )


def note_gateway_id(sql: Sql, refund_id: UUID, gateway_refund_id: str, at: datetime) -> None:
    """Keep the provider's id of a refund that is still on its way."""
    sql.run(
        """
        UPDATE refunds SET gateway_refund_id = %(gateway_refund_id)s, updated_at = %(at)s
         WHERE id = %(id)s AND gateway_refund_id IS NULL
        """,
        id=refund_id,
        gateway_refund_id=gateway_refund_id,
        at=at,
    )


def audit(sql: Sql, order: Order, refund: Refund, gateway_refund_id: str | None, at: datetime) -> None:
    """Add the refund to the audit trail of the order's transactions."""
    sql.run(
        """
        INSERT INTO payment_transactions (id, order_id, kind, payment_method, gateway_transaction_id, amount, currency,
                                          status, created_at, updated_at)
        VALUES (%(id)s, %(order_id)s, 'REFUND', %(method)s, %(gateway_id)s, %(amount)s, %(currency)s, 'SUCCEEDED',
                %(at)s, %(at)s)
        ON CONFLICT (id) DO NOTHING
        """,
        id=refund.id,
        order_id=order.id,
        method=order.payment_method,
        gateway_id=gateway_refund_id,
        amount=refund.amount,
        currency=order.currency,
        at=at,
    )


def _refund(row: Row | None) -> Refund | None:
    if row is None:
        return None
    return record(Refund, row | {"status": RefundStatus(row["status"])})
