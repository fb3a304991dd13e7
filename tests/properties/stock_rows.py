"""What must hold of the rows of the tickets service after every step, read by queries of the tests' own."""

from typing import Any

from tests.databases import Row, TestDatabase

COUNTERS = """
    SELECT t.id, t.quantity_available, t.quantity_sold, t.quantity_held,
           (SELECT coalesce(sum(r.quantity), 0) FROM ticket_reservations r
             WHERE r.ticket_type_id = t.id AND r.status IN ('HELD', 'BOUND')) AS held_rows,
           (SELECT count(*) FROM tickets k WHERE k.ticket_type_id = t.id AND k.status <> 'VOID') AS valid_tickets
      FROM ticket_types t
"""
PER_PERSON = """
    WITH seats AS (
        SELECT ticket_type_id, user_id, quantity FROM ticket_reservations WHERE status IN ('HELD', 'BOUND')
        UNION ALL SELECT ticket_type_id, user_id, 1 FROM tickets WHERE status <> 'VOID'
    ), counted AS (
        SELECT ticket_type_id, user_id, sum(quantity) AS seats FROM seats GROUP BY 1, 2
    )
    SELECT ticket_type_id, user_id, taken, coalesce(seats, 0) AS seats
      FROM ticket_type_buyers FULL JOIN counted USING (ticket_type_id, user_id)
     WHERE coalesce(taken, 0) <> coalesce(seats, 0)
"""
PURCHASES = """
    SELECT p.order_id, p.status, p.version, p.late_payment,
           (SELECT json_agg(e ORDER BY e.version) FROM purchase_events e WHERE e.order_id = p.order_id) AS events,
           (SELECT sum(r.quantity) FROM ticket_reservations r WHERE r.reservation_id = p.reservation_id) AS seats,
           (SELECT count(*) FROM tickets k WHERE k.order_id = p.order_id) AS tickets,
           (SELECT count(*) FROM tickets k WHERE k.order_id = p.order_id AND k.status <> 'VOID') AS valid
      FROM purchases p
"""
TICKETS = """
    SELECT k.id, k.order_id, k.ticket_type_id, k.status, k.version,
           (SELECT json_agg(e ORDER BY e.version) FROM ticket_events e WHERE e.ticket_id = k.id) AS events
      FROM tickets k
"""
PURCHASE_STATES = {"bound": "BOUND", "issued": "ISSUED", "released": "RELEASED"}
TICKET_STATES = {"issued": "ACTIVE", "checked_in": "USED", "voided": "VOID"}


def check(db: TestDatabase) -> tuple[list[Row], list[Row]]:
    """Counters say what rows say, nothing is oversold, and each row is the fold of its events.

    Returns: purchases and tickets.
    """
    purchases, tickets = db.all(PURCHASES), db.all(TICKETS)
    for row in db.all(COUNTERS):
        assert (row["quantity_held"], row["quantity_sold"]) == (row["held_rows"], row["valid_tickets"]), row
        assert 0 <= row["quantity_sold"] + row["quantity_held"] <= row["quantity_available"], row
    assert db.all(PER_PERSON) == []
    for row in purchases:
        assert (row["status"], row["version"]) == _fold(row, PURCHASE_STATES, row["status"]), row
        assert row["valid"] == 0 or (row["status"] == "ISSUED" and row["tickets"] >= row["seats"]), row
    for row in tickets:
        was_used = any(event["type"] == "checked_in" for event in row["events"])
        states = TICKET_STATES | {"reinstated": "USED" if was_used else "ACTIVE"}
        assert (row["status"], row["version"]) == _fold(row, states, None), row
    return purchases, tickets


def _fold(row: Row, states: dict[str, str], other: str | None) -> tuple[Any, int]:
    """The state that the events lead to, and their number; an event says the state that it left."""
    state = other
    for number, event in enumerate(row["events"], start=1):
        assert event["version"] == number, row
        state = states.get(event["type"], event["data"]["status"])
        assert event["data"]["status"] == state, row
    return state, len(row["events"])
