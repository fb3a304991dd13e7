"""SQL of what payments holds on a user, and of what it forgets."""

from uuid import UUID

from shared.database import Sql

# What an export has of each table: everything but what could be used to pay.
HELD = {
    "buyer": "SELECT to_jsonb(b) - 'search_text' AS record FROM buyers b WHERE user_id = %(user_id)s",
    "ownEvents": "SELECT to_jsonb(e) AS record FROM event_owners e WHERE organizer_id = %(user_id)s",
    "orders": """
        SELECT to_jsonb(o) - 'client_secret' - 'approval_url' AS record FROM orders o
         WHERE user_id = %(user_id)s ORDER BY created_at""",
    "orderItems": """
        SELECT to_jsonb(i) AS record FROM order_items i JOIN orders o ON o.id = i.order_id
         WHERE o.user_id = %(user_id)s ORDER BY o.created_at, i.name""",
    "payments": """
        SELECT to_jsonb(t) AS record FROM payment_transactions t JOIN orders o ON o.id = t.order_id
         WHERE o.user_id = %(user_id)s ORDER BY t.created_at""",
    "refunds": """
        SELECT to_jsonb(r) AS record FROM refunds r JOIN orders o ON o.id = r.order_id
         WHERE o.user_id = %(user_id)s OR r.requested_by = %(user_id)s ORDER BY r.created_at""",
    "disputes": """
        SELECT to_jsonb(d) AS record FROM disputes d JOIN orders o ON o.id = d.order_id
         WHERE o.user_id = %(user_id)s ORDER BY d.updated_at""",
    "orderHistory": """
        SELECT to_jsonb(h) AS record FROM order_events h JOIN orders o ON o.id = h.order_id
         WHERE o.user_id = %(user_id)s ORDER BY h.id""",
    "providerMessages": """
        SELECT to_jsonb(w) AS record FROM webhook_events w
         WHERE EXISTS (SELECT FROM orders o LEFT JOIN payment_transactions t ON t.order_id = o.id
                        WHERE o.user_id = %(user_id)s
                          AND (w.intent_id IN (o.payment_gateway_transaction_id, t.gateway_transaction_id)
                               OR w.charge_id = t.gateway_response::jsonb ->> 'charge'))
         ORDER BY w.received_at""",
}


def lock_orders(sql: Sql, user_id: UUID) -> None:
    """Lock the user's orders, as everybody does before their payments, in the order of ids."""
    sql.all("SELECT id FROM orders WHERE user_id = %(user_id)s ORDER BY id FOR UPDATE", user_id=user_id)


# The triggers of migrations/0005_privacy.sql say what is forgotten: each row has only to be written once more.


def forget_orders(sql: Sql, user_id: UUID) -> None:
    """Take texts out of the user's orders."""
    sql.run(
        """
        UPDATE orders SET updated_at = updated_at WHERE user_id = %(user_id)s AND failure_message IS NOT NULL
        """,
        user_id=user_id,
    )


def forget_payments(sql: Sql, user_id: UUID) -> None:
    """Take cards and the provider's answers out of the user's payments."""
    sql.run(
        """
        UPDATE payment_transactions SET updated_at = updated_at
         WHERE order_id IN (SELECT id FROM orders WHERE user_id = %(user_id)s)
        """,
        user_id=user_id,
    )


def forget_refunds(sql: Sql, user_id: UUID) -> None:
    """Take out why the user was given money back: an organizer wrote that."""
    sql.run(
        """
        UPDATE refunds SET updated_at = updated_at
         WHERE order_id IN (SELECT id FROM orders WHERE user_id = %(user_id)s)
        """,
        user_id=user_id,
    )
