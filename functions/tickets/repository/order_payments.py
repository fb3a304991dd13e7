"""SQL of order_payment_messages, and of order_payments, which is its fold: the newest message of each order."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from shared.database import Row, Sql


def append(
    sql: Sql,
    message_id: UUID,
    order_id: UUID,
    *,
    version: int,
    payment_status: str,
    refunded_amount: Decimal,
    at: datetime,
) -> None:
    """Keep what payments said; a message that is kept already changes nothing."""
    sql.run(
        """
        INSERT INTO order_payment_messages (message_id, order_id, version, payment_status, refunded_amount, occurred_at)
        VALUES (%(message_id)s, %(order_id)s, %(version)s, %(payment_status)s, %(refunded_amount)s, %(at)s)
        ON CONFLICT DO NOTHING
        """,
        message_id=message_id,
        order_id=order_id,
        version=version,
        payment_status=payment_status,
        refunded_amount=refunded_amount,
        at=at,
    )


def fold(sql: Sql, order_ids: list[UUID]) -> None:
    """Bring these orders to their newest message.

    Safe beside others who do the same: whoever comes second waits for the row, and writes over older versions only.
    """
    sql.run(
        """
        INSERT INTO order_payments AS kept (order_id, version, payment_status, refunded_amount, occurred_at)
        SELECT DISTINCT ON (order_id) order_id, version, payment_status, refunded_amount, occurred_at
          FROM order_payment_messages WHERE order_id = ANY(%(ids)s) ORDER BY order_id, version DESC
        ON CONFLICT (order_id) DO UPDATE
           SET version = EXCLUDED.version, payment_status = EXCLUDED.payment_status,
               refunded_amount = EXCLUDED.refunded_amount, occurred_at = EXCLUDED.occurred_at
         WHERE kept.version < EXCLUDED.version
        """,
        ids=order_ids,
    )


def forget(sql: Sql, order_ids: list[UUID]) -> None:
    """Drop the fold of these orders, for `fold` to make it again in the same transaction."""
    sql.run("DELETE FROM order_payments WHERE order_id = ANY(%(ids)s)", ids=order_ids)


def known(sql: Sql, after: UUID | None, limit: int) -> list[Row]:
    """Orders (order_id) of which there are messages or a fold, by id, beginning after one."""
    return sql.all(
        """
        SELECT order_id FROM (SELECT order_id FROM order_payment_messages
                              UNION SELECT order_id FROM order_payments) AS either
         WHERE %(after)s::UUID IS NULL OR order_id > %(after)s::UUID
         ORDER BY order_id LIMIT %(limit)s
        """,
        after=after,
        limit=limit,
    )
