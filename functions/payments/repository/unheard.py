"""SQL of what a provider should have told and perhaps did not: orders to ask about, webhooks that nobody handled."""

from datetime import datetime
from uuid import UUID

from shared.database import Row, Sql


def take_orders(sql: Sql, at: datetime, older_than_seconds: float, days: int, limit: int) -> list[UUID]:
    """Orders for which money may have come unheard, untouched for so long; marked as asked about now.

    They wait for their buyer or for the provider's decision, an answer of the provider's was lost, or they were
    cancelled while it had not decided. Each is taken again at twice its age. Two runs at the same time take different
    ones: a row that the other has is skipped, and by the time it is free it is marked.
    """
    rows = sql.all(
        """
        UPDATE orders SET asked_at = %(at)s
         WHERE id IN (
            SELECT o.id FROM orders o
             WHERE o.captured_amount = 0 AND o.total_amount > 0 AND NOT o.asked_enough
               AND o.created_at > %(at)s - make_interval(days => %(days)s)
               AND greatest(o.updated_at, o.asked_at) <= %(at)s - make_interval(secs => %(seconds)s)
               AND (o.asked_at IS NULL OR %(seconds)s = 0 OR o.asked_at - o.created_at <= %(at)s - o.asked_at)
               AND CASE o.payment_status
                   WHEN 'REQUIRES_ACTION' THEN TRUE
                   WHEN 'CANCELLED' THEN o.payment_gateway_transaction_id IS NOT NULL
                   ELSE EXISTS (
                       SELECT FROM payment_transactions t
                        WHERE t.order_id = o.id AND t.kind = 'ATTEMPT' AND t.status IN ('PROCESSING', 'FAILED'))
                   END
               AND NOT EXISTS (SELECT FROM payment_transactions t
                                WHERE t.order_id = o.id AND t.kind = 'ATTEMPT' AND t.status = 'OPEN')
             ORDER BY greatest(o.updated_at, o.asked_at) LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED)
        RETURNING id
        """,
        at=at,
        seconds=older_than_seconds,
        days=days,
        limit=limit,
    )
    return [row["id"] for row in rows]


def take_unclear(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[UUID]:
    """Orders of which the provider gave back an unclear amount, now that no refund of ours is on its way; likewise."""
    rows = sql.all(
        """
        UPDATE orders SET asked_at = %(at)s
         WHERE id IN (
            SELECT id FROM orders
             WHERE refunds_unclear AND refunding_amount = 0
               AND greatest(updated_at, asked_at) <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY greatest(updated_at, asked_at) LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )
    return [row["id"] for row in rows]


def ask_no_more(sql: Sql, order_id: UUID) -> None:
    """Nothing that the provider could still say would change the order."""
    sql.run("UPDATE orders SET asked_enough = TRUE WHERE id = %(id)s", id=order_id)


def take_webhooks(sql: Sql, at: datetime, older_than_seconds: float, days: int, limit: int) -> list[Row]:
    """Stored webhooks (provider, event_id) that nobody has handled for so long; marked as sent on now.

    Those that were never sent on, or not for the longest time, come first: however many cannot be handled, each has its
    turn. Two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE webhook_events SET sent_again_at = %(at)s
         WHERE (provider, event_id) IN (
            SELECT provider, event_id FROM webhook_events
             WHERE handled_at IS NULL AND received_at > %(at)s - make_interval(days => %(days)s)
               AND coalesce(sent_again_at, received_at) <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY coalesce(sent_again_at, received_at) LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING provider, event_id
        """,
        at=at,
        seconds=older_than_seconds,
        days=days,
        limit=limit,
    )
