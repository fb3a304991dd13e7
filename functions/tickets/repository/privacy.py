"""SQL of what tickets holds on a user, and of what it forgets."""

from uuid import UUID

from shared.database import Sql

# What an export has of each table.
HELD = {
    "reservations": """
        SELECT to_jsonb(r) AS record FROM ticket_reservations r WHERE user_id = %(user_id)s ORDER BY created_at""",
    "purchases": """
        SELECT to_jsonb(p) AS record FROM purchases p WHERE user_id = %(user_id)s ORDER BY created_at""",
    "purchaseHistory": """
        SELECT to_jsonb(h) AS record FROM purchase_events h JOIN purchases p USING (order_id)
         WHERE p.user_id = %(user_id)s ORDER BY h.id""",
    "tickets": """
        SELECT to_jsonb(t) AS record FROM tickets t JOIN purchases p USING (order_id)
         WHERE p.user_id = %(user_id)s ORDER BY t.created_at, t.ticket_number""",
    "ticketHistory": """
        SELECT to_jsonb(h) AS record
          FROM ticket_events h JOIN tickets t ON t.id = h.ticket_id JOIN purchases p USING (order_id)
         WHERE p.user_id = %(user_id)s ORDER BY h.id""",
    "ticketsPerType": """
        SELECT to_jsonb(b) AS record FROM ticket_type_buyers b WHERE user_id = %(user_id)s""",
    "organizedEvents": """
        SELECT to_jsonb(e) AS record FROM event_copies e WHERE organizer_id = %(user_id)s ORDER BY event_date""",
    "organizedTicketTypes": """
        SELECT to_jsonb(t) AS record FROM ticket_types t JOIN event_copies e USING (event_id)
         WHERE e.organizer_id = %(user_id)s ORDER BY t.created_at""",
}


def lock_purchases(sql: Sql, user_id: UUID) -> None:
    """Wait for whoever has an order of the user's in hand, before something that they may need is taken."""
    sql.all(
        """
        SELECT order_id FROM purchases WHERE user_id = %(user_id)s ORDER BY order_id FOR NO KEY UPDATE
        """,
        user_id=user_id,
    )


def forget_purchases(sql: Sql, user_id: UUID) -> None:
    """Take names and cards out of the user's orders; the trigger `purchases_forget_buyer` says which."""
    sql.run(
        "UPDATE purchases SET holder_names = '[]' WHERE user_id = %(user_id)s",
        user_id=user_id,
    )


def forget_holders(sql: Sql, user_id: UUID) -> None:
    """Take the names off the user's tickets, also those of others: the user typed them. The QR codes stay good."""
    sql.run(
        """
        UPDATE tickets SET holder_name = NULL
         WHERE order_id IN (SELECT order_id FROM purchases WHERE user_id = %(user_id)s) AND holder_name IS NOT NULL
        """,
        user_id=user_id,
    )


def forget_stock_of_drafts(sql: Sql, organizer_id: UUID) -> None:
    """Forget what was told of the stock of events that the organizer never published: types have names."""
    sql.run(
        """
        WITH drafts AS (
            SELECT event_id FROM event_copies WHERE organizer_id = %(id)s AND status = 'DRAFT'
        ), forgotten AS (
            DELETE FROM stock_told USING drafts WHERE stock_told.event_id = drafts.event_id
        )
        DELETE FROM outbox USING drafts
         WHERE outbox.subject = drafts.event_id AND outbox.type = 'tickets.stock_changed.v1'
        """,
        id=organizer_id,
    )


def delete_types_of_drafts(sql: Sql, organizer_id: UUID) -> None:
    """Delete the ticket types of events that the organizer never published; nobody could hold any."""
    sql.run(
        """
        DELETE FROM ticket_types
         WHERE event_id IN (SELECT event_id FROM event_copies WHERE organizer_id = %(id)s AND status = 'DRAFT')
        """,
        id=organizer_id,
    )


def delete_drafts(sql: Sql, organizer_id: UUID) -> None:
    """Delete the copies of events that the organizer never published."""
    sql.run("DELETE FROM event_copies WHERE organizer_id = %(id)s AND status = 'DRAFT'", id=organizer_id)
