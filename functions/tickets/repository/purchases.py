"""SQL of purchases and purchase_events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.extras import Json

from functions.tickets.records import Purchase
from shared.database import Row, Sql, record
from shared.log import correlation_id


def insert(sql: Sql, purchase: Purchase) -> None:
    """A new purchase; one per reservation, a unique constraint says."""
    sql.run(
        """
        INSERT INTO purchases (order_id, reservation_id, order_number, user_id, event_id, total_amount, currency,
                               payment_type, payment_token, holder_names, pay_by, status, version, saga_checked_at,
                               correlation_id, created_at)
        VALUES (%(order_id)s, %(reservation_id)s, %(order_number)s, %(user_id)s, %(event_id)s, %(total_amount)s,
                %(currency)s, %(payment_type)s, %(payment_token)s, %(names)s, %(pay_by)s, %(status)s, %(version)s,
                %(saga_checked_at)s, %(correlation)s, %(created_at)s)
        """,
        **vars(purchase),
        correlation=correlation_id(),
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


def lock_all(sql: Sql, order_ids: list[UUID]) -> list[Purchase]:
    """These purchases, locked in the order of their ids, so that nobody waits in a circle."""
    rows = sql.all(
        "SELECT * FROM purchases WHERE order_id = ANY(%(ids)s) ORDER BY order_id FOR NO KEY UPDATE",
        ids=order_ids,
    )
    return [record(Purchase, row) for row in rows]


def stop_bound(sql: Sql, event_id: UUID, at: datetime, limit: int) -> list[Purchase]:
    """End the time to pay of the event's orders that are not paid yet; those it was ended for now.

    One that somebody has locked is skipped, for who issues it waits for the event that our caller has: `are_payable`
    finds it.
    """
    rows = sql.all(
        """
        UPDATE purchases SET pay_by = %(at)s
         WHERE order_id IN (
            SELECT order_id FROM purchases
             WHERE event_id = %(event_id)s AND status = 'BOUND' AND pay_by > %(at)s
             LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING *
        """,
        event_id=event_id,
        at=at,
        limit=limit,
    )
    return [record(Purchase, row) for row in rows]


def are_payable(sql: Sql, event_id: UUID, at: datetime) -> bool:
    """Whether there is time left to pay an order of the event, locked or not."""
    found = sql.one(
        "SELECT 1 FROM purchases WHERE event_id = %(event_id)s AND status = 'BOUND' AND pay_by > %(at)s LIMIT 1",
        event_id=event_id,
        at=at,
    )
    return found is not None


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


def hear_of_order(sql: Sql, order_id: UUID, version: int) -> bool:
    """Note the version of the order that tells whether its tickets are to be void or valid; False if it is over.

    News of disputes, and of money that is here after one, come in any order: the newest decides.
    """
    return (
        sql.run(
            """
            UPDATE purchases SET order_version = %(version)s
             WHERE order_id = %(id)s AND order_version <= %(version)s
            """,
            id=order_id,
            version=version,
        )
        == 1
    )


def late_payment(sql: Sql, order_id: UUID) -> str | None:
    """How money that came late for the (locked) purchase was answered: HONOURED or REFUSED; None if none came."""
    row = sql.one("SELECT late_payment FROM purchases WHERE order_id = %(id)s", id=order_id)
    return row["late_payment"] if row else None


def set_late_payment(sql: Sql, order_id: UUID, answer: str) -> None:
    """Note how money that came late is answered; it is answered so for good."""
    sql.run(
        "UPDATE purchases SET late_payment = %(answer)s WHERE order_id = %(id)s", id=order_id, answer=answer
    )


def delivery(sql: Sql, order_id: UUID) -> Row:
    """What is known of the mail with the tickets: delivery_status, delivery_mail_id, delivery_changed_at."""
    row = sql.one(
        """
        SELECT delivery_status, delivery_mail_id, delivery_changed_at FROM purchases WHERE order_id = %(id)s
        """,
        id=order_id,
    )
    assert row is not None
    return row


def set_delivery(sql: Sql, order_id: UUID, mail_id: UUID, status: str, at: datetime) -> None:
    """Keep what became of the mail with the tickets; `at` is when that mail was asked for."""
    sql.run(
        """
        UPDATE purchases SET delivery_status = %(status)s, delivery_mail_id = %(mail_id)s,
                             delivery_changed_at = %(at)s
         WHERE order_id = %(id)s
        """,
        id=order_id,
        mail_id=mail_id,
        status=status,
        at=at,
    )


def set_notified(sql: Sql, order_id: UUID, outcome: str) -> None:
    """Note what the buyer has been told."""
    sql.run(
        "UPDATE purchases SET notified_outcome = %(outcome)s WHERE order_id = %(id)s",
        id=order_id,
        outcome=outcome,
    )


def take_unfinished(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[Row]:
    """Purchases (with saga_runs and correlation_id) that nobody looked at so long, and whose buyer knows nothing yet.

    Marks them as looked at; two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE purchases SET saga_checked_at = %(at)s
         WHERE order_id IN (
            SELECT order_id FROM purchases
             WHERE notified_outcome IS NULL AND saga_checked_at <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY saga_checked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING order_id, status, saga_runs, correlation_id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )


def oldest_unfinished(sql: Sql) -> datetime | None:
    """When the oldest purchase began whose buyer was told nothing yet."""
    row = sql.one("SELECT min(created_at) AS oldest FROM purchases WHERE notified_outcome IS NULL")
    return row["oldest"] if row else None


def count_run(sql: Sql, order_id: UUID, over: int) -> bool:
    """Begin the run after the one of this number, while seats are bound; False if another sweep has done so."""
    return (
        sql.run(
            """
            UPDATE purchases SET saga_runs = saga_runs + 1
             WHERE order_id = %(id)s AND saga_runs = %(over)s AND status = 'BOUND'
            """,
            id=order_id,
            over=over,
        )
        == 1
    )
