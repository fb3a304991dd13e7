"""SQL of stock_told: how each event's stock was last told of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Sql

# An event's types as the message has them; compared with what was told, so its text is always the same.
_TYPES = """
    coalesce(jsonb_agg(jsonb_build_object(
        'ticketTypeId', t.id, 'name', t.name, 'price', t.price::text, 'currency', t.currency,
        'capacity', t.quantity_available, 'sold', t.quantity_sold, 'held', t.quantity_held)
        ORDER BY t.created_at, t.id), '[]')
"""


def next_version(sql: Sql, event_id: UUID, at: datetime) -> int:
    """The number of the event's next message; the row's lock has the one after that wait and read newer counters."""
    row = sql.one(
        """
        INSERT INTO stock_told AS s (event_id, version, types, told_at) VALUES (%(event_id)s, 1, '[]', %(at)s)
        ON CONFLICT (event_id) DO UPDATE SET version = s.version + 1, told_at = EXCLUDED.told_at
        RETURNING version
        """,
        event_id=event_id,
        at=at,
    )
    assert row is not None
    return int(row["version"])


def note(sql: Sql, event_id: UUID) -> list[dict[str, Any]]:
    """Read the event's types as they are now and note them as told; call it after `next_version`."""
    row = sql.one(
        f"""
        UPDATE stock_told SET types = (
            SELECT {_TYPES} FROM ticket_types t WHERE t.event_id = %(event_id)s AND t.deleted_at IS NULL)
         WHERE event_id = %(event_id)s
        RETURNING types
        """,  # noqa: S608  # the constant above
        event_id=event_id,
    )
    assert row is not None
    types: list[dict[str, Any]] = row["types"]
    return types


def changed(sql: Sql, limit: int) -> list[Row]:
    """Events (event_id) whose stock is not as it was last told of. Locks nothing that a sale would wait for."""
    return sql.all(
        f"""
        SELECT event_id FROM (
            SELECT t.event_id, {_TYPES} AS types FROM ticket_types t WHERE t.deleted_at IS NULL GROUP BY t.event_id
        ) AS present LEFT JOIN stock_told AS told USING (event_id)
         WHERE present.types IS DISTINCT FROM told.types
         ORDER BY told.told_at NULLS FIRST, event_id LIMIT %(limit)s
        """,  # noqa: S608  # the constant above
        limit=limit,
    )
