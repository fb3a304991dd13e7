"""SQL of event_copies."""

from datetime import datetime
from uuid import UUID

from functions.tickets.records import EventCopy
from shared.database import Row, Sql, record


def get(sql: Sql, event_id: UUID) -> EventCopy | None:
    """Our copy of the event."""
    row = sql.one("SELECT * FROM event_copies WHERE event_id = %(id)s", id=event_id)
    return record(EventCopy, row) if row else None


def get_for_share(sql: Sql, event_id: UUID) -> EventCopy:
    """Our copy of the event, which nobody changes until this transaction is over.

    So a cancellation comes before tickets are made, or finds them.
    """
    row = sql.one("SELECT * FROM event_copies WHERE event_id = %(id)s FOR SHARE", id=event_id)
    assert row is not None, "seats are only held of events that are here"
    return record(EventCopy, row)


def put(sql: Sql, copy: EventCopy) -> bool:
    """Keep this state unless ours is newer: messages may arrive late, twice, or after an answer over HTTP.

    The currency is ours and stays; False if ours was newer.
    """
    return (
        sql.run(
            """
            INSERT INTO event_copies (event_id, organizer_id, name, event_date, time_zone, venue_name, venue_address,
                                      status, version, refreshed_at)
            VALUES (%(event_id)s, %(organizer_id)s, %(name)s, %(event_date)s, %(time_zone)s, %(venue_name)s,
                    %(venue_address)s, %(status)s, %(version)s, %(refreshed_at)s)
            ON CONFLICT (event_id) DO UPDATE
               SET organizer_id = EXCLUDED.organizer_id, name = EXCLUDED.name, event_date = EXCLUDED.event_date,
                   time_zone = EXCLUDED.time_zone, venue_name = EXCLUDED.venue_name,
                   venue_address = EXCLUDED.venue_address, status = EXCLUDED.status, version = EXCLUDED.version,
                   refreshed_at = EXCLUDED.refreshed_at
             WHERE event_copies.version <= EXCLUDED.version
            """,
            **vars(copy),
        )
        == 1
    )


def note_cancelled(sql: Sql, event_id: UUID, reason: str) -> None:
    """Keep why an event was called off, for the mails that tell it."""
    sql.run(
        "UPDATE event_copies SET cancel_reason = %(reason)s WHERE event_id = %(id)s",
        id=event_id,
        reason=reason,
    )


def take_to_void(sql: Sql, event_id: UUID, at: datetime) -> Row | None:
    """The cancelled event (with `cancel_reason`) whose next batch is due, locked: batches of one event take turns."""
    return sql.one(
        """
        UPDATE event_copies SET voiding_at = %(at)s WHERE event_id = %(id)s AND status = 'CANCELLED' RETURNING *
        """,
        id=event_id,
        at=at,
    )


def mark_voided(sql: Sql, event_id: UUID, at: datetime) -> None:
    """Nothing of the (locked) cancelled event is left to void."""
    sql.run(
        "UPDATE event_copies SET voided_at = coalesce(voided_at, %(at)s) WHERE event_id = %(id)s",
        id=event_id,
        at=at,
    )


def stuck_voiding(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[UUID]:
    """Cancelled events whose voiding made no progress for so long, marked as looked at.

    Two runs at the same time take different ones.
    """
    rows = sql.all(
        """
        UPDATE event_copies SET voiding_at = %(at)s
         WHERE event_id IN (
            SELECT event_id FROM event_copies
             WHERE status = 'CANCELLED' AND voided_at IS NULL
               AND coalesce(voiding_at, refreshed_at) <= %(at)s - make_interval(secs => %(seconds)s)
             LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING event_id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )
    return [row["event_id"] for row in rows]


def set_currency(sql: Sql, event_id: UUID, currency: str) -> str:
    """The event's currency from now on: the one it has, else `currency`, which its first ticket type chooses.

    The row's lock makes the second of two first types wait and see the other's choice.
    """
    row = sql.one(
        """
        UPDATE event_copies SET currency = coalesce(currency, %(currency)s) WHERE event_id = %(id)s RETURNING currency
        """,
        id=event_id,
        currency=currency,
    )
    assert row is not None
    return str(row["currency"])


def forget_currency(sql: Sql, event_id: UUID) -> None:
    """Let the next ticket type choose the currency again, if the event has none left.

    The event is locked first, in a statement of its own: whoever is making a type of it is waited for, and then seen.
    """
    sql.one("SELECT FROM event_copies WHERE event_id = %(id)s FOR NO KEY UPDATE", id=event_id)
    sql.run(
        """
        UPDATE event_copies SET currency = NULL
         WHERE event_id = %(id)s AND NOT EXISTS (SELECT FROM ticket_types t WHERE t.event_id = %(id)s)
        """,
        id=event_id,
    )
