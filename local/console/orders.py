"""The newest orders, for the console: read from the services' databases, which only a laptop may do."""

from typing import Any

import psycopg2
import psycopg2.extras

from local.postgres import Postgres

_SHOWN = 50

_PURCHASES = """
    SELECT order_id::text AS "orderId", order_number AS "orderNumber", total_amount::text AS "totalAmount",
           status, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "createdAt"
      FROM purchases ORDER BY created_at DESC LIMIT %(limit)s
"""

_PAYMENTS = """
    SELECT id::text AS "orderId", payment_status AS "paymentStatus", currency
      FROM orders WHERE id = ANY(%(ids)s::uuid[])
"""


class Orders:
    """Orders as the tickets service bound them, with what the payments service knows of each."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def recent(self) -> list[dict[str, Any]]:
        """The newest orders; an order that payments does not know yet has no paymentStatus."""
        orders = self._rows("tickets", _PURCHASES, limit=_SHOWN)
        payments = self._rows("payments", _PAYMENTS, ids=[order["orderId"] for order in orders])
        known = {payment["orderId"]: payment for payment in payments}
        return [{**order, **known.get(order["orderId"], {})} for order in orders]

    def _rows(self, database: str, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        connection = psycopg2.connect(self._postgres.dsn(database))
        try:
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(statement, parameters)
                return [dict(row) for row in cursor.fetchall()]
        finally:
            connection.close()
