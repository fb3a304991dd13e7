"""SQL of purchases and purchase_events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from functions.tickets.records import Purchase
from shared.database import Row, Sql, record


def insert(sql: Sql, purchase: Purchase) -> None:
    """A new purchase; one per reservation, a unique constraint says."""
    sql.run(
        """
        INSERT INTO purchases (order_id, reservation_id, order_number, user_id, event_id, total_amount, currency,
                               payment_type, payment_token, holder_names, pay_by, status, version, saga_checked_at,
                               created_at)
        VALUES (%(order_id)s, %(reservation_id)s, %(order_number)s, %(user_id)s, %(event_id)s, %(total_amount)s,
                %(currency)s, %(payment_type)s, %(payment_token)s, %(names)s, %(pay_by)s, %(status)s, %(version)s,
                %(saga_checked_at)s, %(created_at)s)
        """,
        **vars(purchase),
        names=Json(purchase.holder_names),
    )


def get(sql: Sql, order_id: UUID) -> Purchase | None:
    """The purchase as it is."""
    row = sql.one("SELECT * FROM purchases WHERE order_id = %(id)s", id=order_id)
    return record(Purchase, row) if row else None


def lock(sql: Sql, order_id: UUID) -> Purchase | None:
    """The purchase, locked: issue, release, void and notify take turns."""
    row = sql.one("SELECT * FROM purchases WHERE order_id = %(id)s FOR NO KEY UPDATE", id=order_id)
    return record(Purchase, row) if row else None


def page(
    sql: Sql,
    user_id: UUID,
    order_id: UUID | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Row]:
    """A buyer's purchases with their events and payments, newest first, beginning after a position (time and id)."""
    return sql.all(
        """
        SELECT p.*, e.name AS event_name, e.event_date, o.payment_status, o.refunded_amount
          FROM purchases p JOIN event_copies e USING (event_id) LEFT JOIN order_payments o USING (order_id)
         WHERE p.user_id = %(user_id)s
           AND (%(order_id)s::UUID IS NULL OR p.order_id = %(order_id)s)
           AND (%(at)s::TIMESTAMPTZ IS NULL OR (p.created_at, p.order_id) < (%(at)s::TIMESTAMPTZ, %(id)s::UUID))
         ORDER BY p.created_at DESC, p.order_id DESC LIMIT %(limit)s
        """,
        user_id=user_id,
        order_id=order_id,
        limit=limit,
        at=after[0] if after else None,
        id=after[1] if after else None,
    )


def advance(sql: Sql, order_id: UUID, status: str, type: str, data: dict[str, Any], at: datetime) -> int:
    """The (locked) purchase's next state, and the event in its history that brought it there.

    Returns:
        the purchase's version from then on; a unique constraint keeps two writers from the same one.
    """
    row = sql.one(
        """
        WITH next AS (
            UPDATE purchases SET status = %(status)s, version = version + 1 WHERE order_id = %(id)s RETURNING version)
        INSERT INTO purchase_events (order_id, version, type, data, created_at)
        SELECT %(id)s, version, %(type)s, %(data)s, %(at)s FROM next
        RETURNING version
        """,
        id=order_id,
        status=status,
        type=type,
        data={"status": status, **data},
        at=at,
    )
    assert row is not None
    return int(row["version"])


def set_notified(sql: Sql, order_id: UUID, outcome: str) -> None:
    """Note what the buyer has been told."""
    sql.run(
        "UPDATE purchases SET notified_outcome = %(outcome)s WHERE order_id = %(id)s",
        id=order_id,
        outcome=outcome,
    )


def take_unfinished(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[Row]:
    """Purchases (order_id, status) that nobody looked at for so long and whose buyer was told nothing yet.

    Marks them as looked at; two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE purchases SET saga_checked_at = %(at)s
         WHERE order_id IN (
            SELECT order_id FROM purchases
             WHERE notified_outcome IS NULL AND saga_checked_at <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY saga_checked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING order_id, status
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )
