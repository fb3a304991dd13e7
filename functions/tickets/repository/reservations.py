"""SQL of ticket_reservations; the counters behind them move in the functions of migrations/0002_stock.sql."""

from datetime import datetime
from uuid import UUID

from functions.tickets.records import Hold
from shared.database import Row, Sql, record


def hold(
    sql: Sql,
    *,
    reservation_id: UUID,
    user_id: UUID,
    event_id: UUID,
    items: list[tuple[UUID, int]],
    at: datetime,
    seconds: int,
) -> list[Hold]:
    """Hold every item (type, quantity) or none, in one round trip, in the order of the items.

    Raises:
        Refused: `sqlstate` BX001 … BX005, see `hold_tickets` in migrations/0002_stock.sql.
    """
    rows = sql.all(
        """
        SELECT r.*, t.name AS type_name
          FROM hold_tickets(%(reservation_id)s, %(user_id)s, %(event_id)s, %(types)s, %(quantities)s, %(at)s,
                            %(seconds)s) r
          JOIN ticket_types t ON t.id = r.ticket_type_id
         ORDER BY r.position
        """,
        reservation_id=reservation_id,
        user_id=user_id,
        event_id=event_id,
        types=[ticket_type_id for ticket_type_id, _ in items],
        quantities=[quantity for _, quantity in items],
        at=at,
        seconds=seconds,
    )
    return [record(Hold, row) for row in rows]


def lock(sql: Sql, reservation_id: UUID) -> list[Hold]:
    """The rows of a reservation, locked: whoever expires, releases or buys it at the same time waits, or skips it."""
    rows = sql.all(
        """
        SELECT r.*, t.name AS type_name
          FROM ticket_reservations r JOIN ticket_types t ON t.id = r.ticket_type_id
         WHERE r.reservation_id = %(id)s ORDER BY r.position FOR NO KEY UPDATE OF r
        """,
        id=reservation_id,
    )
    return [record(Hold, row) for row in rows]


def lock_held(sql: Sql, user_id: UUID) -> list[Hold]:
    """The rows that the user holds and nobody has begun to buy, locked."""
    rows = sql.all(
        """
        SELECT r.*, t.name AS type_name
          FROM ticket_reservations r JOIN ticket_types t ON t.id = r.ticket_type_id
         WHERE r.user_id = %(user_id)s AND r.status = 'HELD'
         ORDER BY r.reservation_id, r.position FOR NO KEY UPDATE OF r
        """,
        user_id=user_id,
    )
    return [record(Hold, row) for row in rows]


def of_reservations(sql: Sql, reservation_ids: list[UUID]) -> list[Hold]:
    """The rows of these reservations, as they are."""
    rows = sql.all(
        """
        SELECT r.*, t.name AS type_name
          FROM ticket_reservations r JOIN ticket_types t ON t.id = r.ticket_type_id
         WHERE r.reservation_id = ANY(%(ids)s) ORDER BY r.position
        """,
        ids=reservation_ids,
    )
    return [record(Hold, row) for row in rows]


def give_back(sql: Sql, holds: list[Hold], status: str) -> None:
    """Put the seats of these (locked, HELD or BOUND) rows back on sale."""
    sql.one("SELECT give_back_holds(%(ids)s, %(status)s)", ids=[hold.id for hold in holds], status=status)


def bind(sql: Sql, reservation_id: UUID, order_id: UUID, pay_by: datetime) -> None:
    """Bind the (locked) held rows to an order until pay-by."""
    sql.run(
        """
        UPDATE ticket_reservations SET status = 'BOUND', order_id = %(order_id)s, reserved_until = %(pay_by)s
         WHERE reservation_id = %(id)s AND status = 'HELD'
        """,
        id=reservation_id,
        order_id=order_id,
        pay_by=pay_by,
    )


def sell(sql: Sql, reservation_id: UUID) -> None:
    """What the reservation held is sold; call it under the purchase's lock."""
    sql.one("SELECT sell_bound_seats(%(id)s)", id=reservation_id)


def rebind(sql: Sql, reservation_id: UUID, at: datetime) -> str | None:
    """Bind a released reservation's seats again, all or none; None if so, or else `SOLD_OUT`, `PER_PERSON_LIMIT`.

    Call it under the purchase's lock.
    """
    row = sql.one("SELECT rebind_seats(%(id)s, %(at)s) AS why_not", id=reservation_id, at=at)
    assert row is not None
    return row["why_not"]  # type: ignore[no-any-return]  # text or NULL


def mark_released(sql: Sql, reservation_id: UUID) -> None:
    """The reservation's tickets are void, and their seats back on sale already."""
    sql.run(
        """
        UPDATE ticket_reservations SET status = 'RELEASED' WHERE reservation_id = %(id)s AND status = 'ISSUED'
        """,
        id=reservation_id,
    )


def release_of_event(sql: Sql, event_id: UUID, limit: int) -> int:
    """Give the unbound holds of a cancelled event back, at most so many rows; how many it were."""
    row = sql.one("SELECT release_holds_of_event(%(id)s, %(limit)s) AS released", id=event_id, limit=limit)
    assert row is not None
    return int(row["released"])


def expire(sql: Sql, at: datetime, limit: int) -> list[Row]:
    """Give back holds that ran out, oldest first; rows of event_id, ticket_type_id and how many expired.

    Rows that somebody holds locked are skipped.
    """
    return sql.all("SELECT * FROM expire_holds(%(at)s, %(limit)s)", at=at, limit=limit)
