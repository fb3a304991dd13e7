"""SQL of event_owners: whose the events are, as events says."""

from uuid import UUID

from shared.database import Sql


def put(sql: Sql, event_id: UUID, organizer_id: UUID, version: int) -> None:
    """Keep whose event it is, unless what we have is newer."""
    sql.run(
        """
        INSERT INTO event_owners (event_id, organizer_id, version)
        VALUES (%(event_id)s, %(organizer_id)s, %(version)s)
        ON CONFLICT (event_id) DO UPDATE SET organizer_id = EXCLUDED.organizer_id, version = EXCLUDED.version
         WHERE event_owners.version < EXCLUDED.version
        """,
        event_id=event_id,
        organizer_id=organizer_id,
        version=version,
    )


def organizer_of(sql: Sql, event_id: UUID) -> UUID | None:
    """Whose event it is, as events or an order says; None for a draft, of which nobody was told."""
    row = sql.one(
        """
        (SELECT organizer_id FROM event_owners WHERE event_id = %(event_id)s)
        UNION ALL (SELECT organizer_id FROM orders WHERE event_id = %(event_id)s LIMIT 1) LIMIT 1
        """,
        event_id=event_id,
    )
    return row["organizer_id"] if row else None
