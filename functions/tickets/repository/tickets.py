"""SQL of tickets and ticket_events."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from functions.tickets.records import TicketRow
from shared.database import Row, Sql, record

_SELECT = """
    SELECT k.*, t.name AS type_name, t.venue_zone, e.organizer_id, p.delivery_status
      FROM tickets k JOIN ticket_types t ON t.id = k.ticket_type_id JOIN event_copies e ON e.event_id = k.event_id
      JOIN purchases p ON p.order_id = k.order_id
"""


@dataclass(frozen=True)
class NewTicket:
    """A ticket about to be made."""

    id: UUID
    ticket_type_id: UUID
    number: str
    qr_code: str
    holder_name: str | None


def insert(
    sql: Sql, order_id: UUID, user_id: UUID, event_id: UUID, tickets: list[NewTicket], at: datetime
) -> None:
    """The tickets of an order and the first event of each, in one statement."""
    sql.run(
        """
        WITH made AS (
            INSERT INTO tickets (id, ticket_type_id, order_id, user_id, event_id, ticket_number, qr_code, holder_name,
                                 created_at)
            SELECT n.id, n.type_id, %(order_id)s, %(user_id)s, %(event_id)s, n.number, n.qr_code, n.holder_name, %(at)s
              FROM unnest(%(ids)s::UUID[], %(types)s::UUID[], %(numbers)s::TEXT[], %(codes)s::TEXT[],
                          %(names)s::TEXT[]) AS n (id, type_id, number, qr_code, holder_name)
            RETURNING id)
        INSERT INTO ticket_events (ticket_id, version, type, data, created_at)
        SELECT id, 1, 'issued', jsonb_build_object('orderId', %(order_id)s::TEXT, 'status', 'ACTIVE'), %(at)s FROM made
        """,
        order_id=order_id,
        user_id=user_id,
        event_id=event_id,
        at=at,
        ids=[ticket.id for ticket in tickets],
        types=[ticket.ticket_type_id for ticket in tickets],
        numbers=[ticket.number for ticket in tickets],
        codes=[ticket.qr_code for ticket in tickets],
        names=[ticket.holder_name for ticket in tickets],
    )


def get(sql: Sql, ticket_id: UUID) -> TicketRow | None:
    """One ticket."""
    row = sql.one(_SELECT + "WHERE k.id = %(id)s", id=ticket_id)
    return record(TicketRow, row) if row else None


def of_orders(sql: Sql, order_ids: list[UUID]) -> list[TicketRow]:
    """The tickets of these orders, by number."""
    rows = sql.all(
        _SELECT
        + "WHERE k.order_id = ANY(%(ids)s) ORDER BY k.order_id, length(k.ticket_number), k.ticket_number",
        ids=order_ids,
    )
    return [record(TicketRow, row) for row in rows]


def use(
    sql: Sql, ticket_id: UUID, event_id: UUID, organizer_id: UUID | None, at: datetime
) -> TicketRow | None:
    """Use an active ticket of this organizer's event (None: anybody's).

    Once: of two scanners at the same time the second waits for the first and finds the ticket not active.
    """
    row = sql.one(
        """
        UPDATE tickets k SET status = 'USED', checked_in_at = %(at)s, version = k.version + 1
          FROM ticket_types t, event_copies e
         WHERE k.id = %(id)s AND k.event_id = %(event_id)s AND k.status = 'ACTIVE'
           AND t.id = k.ticket_type_id AND e.event_id = k.event_id
           AND (%(organizer_id)s::UUID IS NULL OR e.organizer_id = %(organizer_id)s)
        RETURNING k.*, t.name AS type_name, t.venue_zone, e.organizer_id,
                  (SELECT p.delivery_status FROM purchases p WHERE p.order_id = k.order_id) AS delivery_status
        """,
        id=ticket_id,
        event_id=event_id,
        organizer_id=organizer_id,
        at=at,
    )
    return record(TicketRow, row) if row else None


def void(sql: Sql, order_id: UUID, ticket_ids: list[UUID] | None, reason: str | None) -> list[Row]:
    """Void tickets of an order, all of them if None; those voided now (id, ticket_type_id, version).

    Their seats are back on sale. Call it under the purchase's lock.
    """
    return sql.all(
        "SELECT id, ticket_type_id, version FROM void_tickets(%(order_id)s, %(ids)s::UUID[], %(reason)s)",
        order_id=order_id,
        ids=ticket_ids,
        reason=reason,
    )


def settle_void(sql: Sql, order_id: UUID, ticket_ids: list[UUID] | None, reason: str | None) -> None:
    """Have tickets (None: all of the order's) that a dispute voided be void for this reason instead.

    Winning the dispute brings them back no more. Call it under the purchase's lock.
    """
    sql.run(
        """
        UPDATE tickets SET void_reason = %(reason)s
         WHERE order_id = %(order_id)s AND void_reason = 'DISPUTED'
           AND (%(ids)s::UUID[] IS NULL OR id = ANY(%(ids)s::UUID[]))
        """,
        order_id=order_id,
        ids=ticket_ids,
        reason=reason,
    )


def were_disputed_after(sql: Sql, order_id: UUID, began_at: datetime) -> bool:
    """Whether a dispute voided tickets of the order that had been used, or when their event had begun."""
    row = sql.one(
        """
        SELECT FROM tickets k
         WHERE k.order_id = %(id)s AND k.void_reason = 'DISPUTED'
           AND (k.checked_in_at IS NOT NULL OR %(began_at)s <= (
                SELECT max(e.created_at) FROM ticket_events e WHERE e.ticket_id = k.id AND e.type = 'voided'))
         LIMIT 1
        """,
        id=order_id,
        began_at=began_at,
    )
    return row is not None


def orders_with_valid(sql: Sql, event_id: UUID, limit: int) -> list[UUID]:
    """The orders that the event's first so many valid tickets belong to."""
    rows = sql.all(
        """
        SELECT DISTINCT order_id FROM (
            SELECT order_id FROM tickets WHERE event_id = %(id)s AND status <> 'VOID' ORDER BY order_id LIMIT %(limit)s
        ) AS valid ORDER BY order_id
        """,
        id=event_id,
        limit=limit,
    )
    return [row["order_id"] for row in rows]


def reinstate(sql: Sql, order_id: UUID, at: datetime) -> str | None:
    """Make the tickets that a dispute voided valid again, all or none; None if so, or else why their seats are gone.

    Call it under the purchase's lock.
    """
    row = sql.one("SELECT reinstate_tickets(%(id)s, %(at)s) AS why_not", id=order_id, at=at)
    assert row is not None
    return row["why_not"]  # type: ignore[no-any-return]  # text or NULL


def append_reinstated(sql: Sql, ticket_ids: list[UUID], at: datetime) -> None:
    """Append to the history of these tickets, which the same transaction has just made valid again."""
    sql.run(
        """
        INSERT INTO ticket_events (ticket_id, version, type, data, created_at)
        SELECT id, version, 'reinstated', jsonb_build_object('status', status), %(at)s
          FROM tickets WHERE id = ANY(%(ids)s)
        """,
        ids=ticket_ids,
        at=at,
    )


def append_event(sql: Sql, type: str, status: str, ticket_ids: list[UUID], at: datetime) -> None:
    """Append to the history of these tickets, which the same transaction has just changed."""
    sql.run(
        """
        INSERT INTO ticket_events (ticket_id, version, type, data, created_at)
        SELECT id, version, %(type)s, jsonb_build_object('status', %(status)s::TEXT), %(at)s
          FROM tickets WHERE id = ANY(%(ids)s)
        """,
        type=type,
        status=status,
        ids=ticket_ids,
        at=at,
    )


def count_resend(sql: Sql, ticket_id: UUID, at: datetime, limit: int) -> bool:
    """Count a resend, if the last hour had fewer than `limit`; the row's lock keeps two from sharing the last one."""
    return (
        sql.run(
            """
            UPDATE tickets SET mailed_again = array_append(
                       ARRAY(SELECT past FROM unnest(mailed_again) AS past WHERE past > %(at)s - interval '1 hour'),
                       %(at)s)
             WHERE id = %(id)s
               AND (SELECT count(*) FROM unnest(mailed_again) AS past
                     WHERE past > %(at)s - interval '1 hour') < %(limit)s
            """,
            id=ticket_id,
            at=at,
            limit=limit,
        )
        == 1
    )
