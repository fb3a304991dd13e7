"""Invariant 1: sold and held fit into the capacity, and every counter is what tickets and reservations say.

All of it is in one database and read in one snapshot, so that it is judged however recently it changed.
"""

from uuid import UUID

from functions.platform import settings
from functions.platform.audit.findings import Findings, Invariant, Scope
from shared.database import Row, Sql


def judge(tickets: Sql, scope: Scope, findings: Findings) -> int:
    """Every ticket type of an event that is not over; how many types."""
    types, after = 0, UUID(int=0)
    while events := _events(tickets, scope, after, settings.PAGE()):
        after = events[-1]
        types += _number_of_types(tickets, events)
        for row in _wrong_counters(tickets, events):
            what = "more sold and held than there are" if row.pop("isOver") else "counters are wrong"
            findings.add(Invariant.STOCK, what, **row)
        wrong = _wrong_allowances(tickets, events, findings.limit)
        findings.add_rows(Invariant.STOCK, "a buyer's counter is wrong", wrong)
    return types


def _events(sql: Sql, scope: Scope, after: UUID, limit: int) -> list[UUID]:
    rows = sql.all(
        """
        SELECT event_id FROM event_copies WHERE event_id > %(after)s AND event_date > %(since)s
         ORDER BY event_id LIMIT %(limit)s
        """,
        after=after,
        since=scope.since,
        limit=limit,
    )
    return [row["event_id"] for row in rows]


def _number_of_types(sql: Sql, events: list[UUID]) -> int:
    row = sql.one(
        "SELECT count(*) AS types FROM ticket_types WHERE event_id = ANY(%(events)s)", events=events
    )
    assert row is not None
    return int(row["types"])


def _wrong_counters(sql: Sql, events: list[UUID]) -> list[Row]:
    """Ticket types whose counters are not what is there, or are more than the capacity."""
    return sql.all(
        """
        WITH types AS (
            SELECT id, event_id, quantity_available, quantity_sold, quantity_held
              FROM ticket_types WHERE event_id = ANY(%(events)s)
        ), sold AS (
            SELECT ticket_type_id AS id, count(*) AS number FROM tickets
             WHERE event_id = ANY(%(events)s) AND status <> 'VOID' GROUP BY 1
        ), held AS (
            SELECT ticket_type_id AS id, sum(quantity) AS number FROM ticket_reservations
             WHERE ticket_type_id IN (SELECT id FROM types) AND status IN ('HELD', 'BOUND') GROUP BY 1
        )
        SELECT t.id AS "ticketTypeId", t.event_id AS "eventId", t.quantity_available AS capacity,
               t.quantity_sold AS "quantitySold", coalesce(s.number, 0)::int AS sold,
               t.quantity_held AS "quantityHeld", coalesce(h.number, 0)::int AS held,
               coalesce(s.number, 0) + coalesce(h.number, 0) > t.quantity_available AS "isOver"
          FROM types t LEFT JOIN sold s USING (id) LEFT JOIN held h USING (id)
         WHERE t.quantity_sold <> coalesce(s.number, 0) OR t.quantity_held <> coalesce(h.number, 0)
            OR coalesce(s.number, 0) + coalesce(h.number, 0) > t.quantity_available
        """,
        events=events,
    )


def _wrong_allowances(sql: Sql, events: list[UUID], limit: int) -> list[Row]:
    """Buyers whose counter of a type is not what they hold and have, or is more than they may."""
    return sql.all(
        """
        WITH types AS (
            SELECT id FROM ticket_types WHERE event_id = ANY(%(events)s)
        ), taken AS (
            SELECT ticket_type_id, user_id, sum(quantity) AS number FROM ticket_reservations
             WHERE ticket_type_id IN (SELECT id FROM types) AND status IN ('HELD', 'BOUND') GROUP BY 1, 2
            UNION ALL
            SELECT ticket_type_id, user_id, count(*) FROM tickets
             WHERE event_id = ANY(%(events)s) AND status <> 'VOID' GROUP BY 1, 2
        ), counted AS (
            SELECT ticket_type_id, user_id, sum(number)::int AS number FROM taken GROUP BY 1, 2
        ), counters AS (
            SELECT ticket_type_id, user_id, b.taken, b.allowed FROM ticket_type_buyers b
             WHERE ticket_type_id IN (SELECT id FROM types)
        )
        SELECT ticket_type_id AS "ticketTypeId", user_id AS "userId", coalesce(k.taken, 0) AS taken,
               coalesce(k.allowed, 0) AS allowed, coalesce(c.number, 0) AS counted
          FROM counted c FULL JOIN counters k USING (ticket_type_id, user_id)
         WHERE coalesce(k.taken, 0) <> coalesce(c.number, 0) OR k.taken > k.allowed
         ORDER BY 1, 2 LIMIT %(limit)s
        """,
        events=events,
        limit=limit,
    )
