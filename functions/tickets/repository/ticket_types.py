"""SQL of ticket_types."""

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.tickets.models import TicketType, TicketTypeTerms
from shared.database import Row, Sql


def insert(sql: Sql, event_id: UUID, terms: TicketTypeTerms, currency: str, at: datetime) -> TicketType:
    """A new type; a foreign key holds it to its event's currency."""
    row = sql.one(
        """
        INSERT INTO ticket_types (event_id, name, description, price, currency, quantity_available, sale_start_date,
                                  sale_end_date, per_person_limit, venue_zone, created_at, updated_at)
        VALUES (%(event_id)s, %(name)s, %(description)s, %(price)s, %(currency)s, %(quantity_available)s,
                %(sale_start_date)s, %(sale_end_date)s, %(per_person_limit)s, %(venue_zone)s, %(at)s, %(at)s)
        RETURNING *
        """,
        **_terms(terms, currency),
        event_id=event_id,
        at=at,
    )
    return TicketType.model_validate(row)


def page(sql: Sql, event_id: UUID, limit: int, after: tuple[datetime, UUID] | None) -> list[TicketType]:
    """The event's types, oldest first, beginning after a position (time and id)."""
    rows = sql.all(
        """
        SELECT * FROM ticket_types
         WHERE event_id = %(event_id)s AND deleted_at IS NULL
           AND (%(at)s::TIMESTAMPTZ IS NULL OR (created_at, id) > (%(at)s::TIMESTAMPTZ, %(id)s::UUID))
         ORDER BY created_at, id LIMIT %(limit)s
        """,
        event_id=event_id,
        limit=limit,
        at=after[0] if after else None,
        id=after[1] if after else None,
    )
    return [TicketType.model_validate(row) for row in rows]


def count(sql: Sql, event_id: UUID) -> int:
    """How many types the event has; one that was taken off sale is none."""
    row = sql.one(
        "SELECT count(*) AS types FROM ticket_types WHERE event_id = %(id)s AND deleted_at IS NULL",
        id=event_id,
    )
    assert row is not None
    return int(row["types"])


def lock_owned(sql: Sql, ticket_type_id: UUID, organizer_id: UUID | None) -> Row | None:
    """The type, locked against sales and other changes; None unless it is this organizer's (None: anybody's)."""
    return sql.one(
        """
        SELECT t.* FROM ticket_types t JOIN event_copies e USING (event_id)
         WHERE t.id = %(id)s AND t.deleted_at IS NULL
           AND (%(organizer_id)s::UUID IS NULL OR e.organizer_id = %(organizer_id)s)
           FOR NO KEY UPDATE OF t
        """,
        id=ticket_type_id,
        organizer_id=organizer_id,
    )


def lock_of_event(sql: Sql, event_id: UUID) -> list[UUID]:
    """Lock the event's types in the order of their ids, for a change that touches any of them."""
    rows = sql.all(
        "SELECT id FROM ticket_types WHERE event_id = %(id)s ORDER BY id FOR NO KEY UPDATE", id=event_id
    )
    return [row["id"] for row in rows]


def reclaim(sql: Sql, ticket_type_id: UUID, at: datetime) -> None:
    """Give back the type's holds that ran out."""
    sql.one("SELECT reclaim_expired_holds(%(id)s, %(at)s)", id=ticket_type_id, at=at)


def update(
    sql: Sql, ticket_type_id: UUID, terms: TicketTypeTerms, currency: str, at: datetime
) -> TicketType | None:
    """New terms; None if more is sold or held than the new quantity (the CHECK stands behind this guard).

    Nor is it made smaller than is kept for tickets that a dispute voided.
    """
    row = sql.one(
        """
        UPDATE ticket_types
           SET name = %(name)s, description = %(description)s, price = %(price)s, currency = %(currency)s,
               quantity_available = %(quantity_available)s, sale_start_date = %(sale_start_date)s,
               sale_end_date = %(sale_end_date)s, per_person_limit = %(per_person_limit)s,
               venue_zone = %(venue_zone)s, updated_at = %(at)s
         WHERE id = %(id)s AND quantity_sold + quantity_held <= %(quantity_available)s
           AND least(quantity_available, quantity_sold + quantity_held + disputed_seats(id, %(at)s))
               <= %(quantity_available)s
        RETURNING *
        """,
        **_terms(terms, currency),
        id=ticket_type_id,
        at=at,
    )
    return TicketType.model_validate(row) if row else None


def disputed(sql: Sql, ticket_type_id: UUID, at: datetime) -> int:
    """How many seats of the type are kept for tickets that a dispute voided."""
    row = sql.one("SELECT disputed_seats(%(id)s, %(at)s) AS n", id=ticket_type_id, at=at)
    assert row is not None
    return int(row["n"])


def delete_unused(sql: Sql, ticket_type_id: UUID) -> bool:
    """Delete a type that nobody ever took a ticket of."""
    return (
        sql.run(
            """
            DELETE FROM ticket_types t
             WHERE t.id = %(id)s AND NOT EXISTS (SELECT FROM ticket_type_buyers b WHERE b.ticket_type_id = t.id)
            """,
            id=ticket_type_id,
        )
        == 1
    )


def withdraw(sql: Sql, ticket_type_id: UUID, at: datetime) -> bool:
    """Take a type off sale for good; False if something of it is sold or held, or kept for a dispute."""
    return (
        sql.run(
            """
            UPDATE ticket_types SET deleted_at = %(at)s
             WHERE id = %(id)s AND quantity_sold + quantity_held + disputed_seats(id, %(at)s) = 0
            """,
            id=ticket_type_id,
            at=at,
        )
        == 1
    )


def inventory(sql: Sql, event_id: UUID, at: datetime) -> list[Row]:
    """What the event sells and what is left of it; a hold that ran out is left, given back yet or not."""
    return sql.all(
        """
        SELECT t.id, t.name, t.description, t.price, t.currency, t.venue_zone, t.per_person_limit,
               t.sale_start_date, t.sale_end_date,
               t.quantity_available - t.quantity_sold - t.quantity_held + coalesce(
                   (SELECT sum(r.quantity) FROM ticket_reservations r
                     WHERE r.ticket_type_id = t.id AND r.status = 'HELD' AND r.reserved_until <= %(at)s), 0
               )::INTEGER AS available
          FROM ticket_types t
         WHERE t.event_id = %(event_id)s AND t.deleted_at IS NULL
         ORDER BY t.created_at, t.id
        """,
        event_id=event_id,
        at=at,
    )


def _terms(terms: TicketTypeTerms, currency: str) -> dict[str, Any]:
    return terms.model_dump(exclude={"event_id"}) | {"currency": currency}
