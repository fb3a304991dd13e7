"""SQL of second_payments: money that was taken twice for one order, and whether it went back."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.payments.models import RefundStatus
from shared.database import Row, Sql


def create(
    sql: Sql, provider: str, intent_id: str, order_id: UUID, refund_key: UUID, amount: Decimal, at: datetime
) -> bool:
    """Record a second payment; False if it was known."""
    return (
        sql.run(
            """
            INSERT INTO second_payments (provider, intent_id, order_id, refund_key, amount, status, created_at,
                                         updated_at)
            VALUES (%(provider)s, %(intent_id)s, %(order_id)s, %(refund_key)s, %(amount)s, 'REQUESTED', %(at)s, %(at)s)
            ON CONFLICT DO NOTHING
            """,
            provider=provider,
            intent_id=intent_id,
            order_id=order_id,
            refund_key=refund_key,
            amount=amount,
            at=at,
        )
        == 1
    )


def of_payment(sql: Sql, provider: str, intent_id: str, status: RefundStatus) -> Row | None:
    """Its provider, intent_id, order_id and refund_key, if that is what has become of its refund so far."""
    return sql.one(
        """
        SELECT provider, intent_id, order_id, refund_key FROM second_payments
         WHERE provider = %(provider)s AND intent_id = %(intent_id)s AND status = %(status)s
        """,
        provider=provider,
        intent_id=intent_id,
        status=status,
    )


def of_refund(sql: Sql, refund_key: UUID) -> Row | None:
    """The same of the one whose refund bears this name of ours at the provider, whatever became of it."""
    return sql.one(
        """
        SELECT provider, intent_id, order_id, refund_key FROM second_payments WHERE refund_key = %(refund_key)s
        """,
        refund_key=refund_key,
    )


def finish(sql: Sql, provider: str, intent_id: str, status: RefundStatus, at: datetime) -> Decimal | None:
    """Say what became of it; its amount, or None if this was said before. A success may turn into a failure."""
    row = sql.one(
        """
        UPDATE second_payments SET status = %(status)s, updated_at = %(at)s
         WHERE provider = %(provider)s AND intent_id = %(intent_id)s
           AND (status = 'REQUESTED' OR (status = 'SUCCEEDED' AND %(status)s = 'FAILED'))
        RETURNING amount
        """,
        provider=provider,
        intent_id=intent_id,
        status=status,
        at=at,
    )
    return row["amount"] if row else None


def take_unfinished(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[Row]:
    """Those (provider, intent_id, order_id) that nobody touched for so long; marked as looked at.

    Two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE second_payments SET updated_at = %(at)s
         WHERE (provider, intent_id) IN (
            SELECT provider, intent_id FROM second_payments
             WHERE status = 'REQUESTED' AND updated_at <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING provider, intent_id, order_id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )
