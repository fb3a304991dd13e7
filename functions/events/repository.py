"""All SQL of the events service. A function is one statement, and says what makes it safe."""

from datetime import datetime
from typing import Any
from uuid import UUID

from functions.events.models import Category, EventRecord, EventRequest, Filter, Sort, Status
from shared.business import CANARY_EVENT
from shared.database import Row, Sql, record

# ---- events


def add_event(
    sql: Sql, organizer_id: UUID, request: EventRequest, category: str | None, at: datetime
) -> EventRecord:
    """A new draft."""
    row = sql.one(
        """
        INSERT INTO events (organizer_id, name, description, event_date, time_zone, venue_name, venue_address, category,
                            created_at, updated_at)
        VALUES (%(organizer_id)s, %(name)s, %(description)s, %(event_date)s, %(time_zone)s, %(venue_name)s,
                %(venue_address)s, %(category)s, %(at)s, %(at)s)
        RETURNING *
        """,
        **_described(request, category),
        organizer_id=organizer_id,
        at=at,
    )
    return _existing(row)


def event(sql: Sql, event_id: UUID) -> EventRecord | None:
    """The event with this id."""
    return _found(sql.one("SELECT * FROM events WHERE id = %(id)s", id=event_id))


def locked_event(sql: Sql, event_id: UUID) -> EventRecord | None:
    """The event with this id, locked, so that what is decided about it still holds when it is written."""
    return _found(sql.one("SELECT * FROM events WHERE id = %(id)s FOR UPDATE", id=event_id))


def public_event(sql: Sql, event_id: UUID) -> EventRecord | None:
    """The event with this id, unless it is a draft."""
    return _found(sql.one("SELECT * FROM events WHERE id = %(id)s AND status <> 'DRAFT'", id=event_id))


def describe(
    sql: Sql, event_id: UUID, request: EventRequest, category: str | None, at: datetime
) -> EventRecord:
    """Replace the description of a locked event."""
    row = sql.one(
        """
        UPDATE events SET name = %(name)s, description = %(description)s, event_date = %(event_date)s,
                          time_zone = %(time_zone)s, venue_name = %(venue_name)s, venue_address = %(venue_address)s,
                          category = %(category)s, version = version + 1, updated_at = %(at)s
         WHERE id = %(id)s
        RETURNING *
        """,
        **_described(request, category),
        id=event_id,
        at=at,
    )
    return _existing(row)


def set_status(
    sql: Sql, event_id: UUID, status: Status, at: datetime, *, reason: str | None = None
) -> EventRecord:
    """Move a locked event to another status."""
    row = sql.one(
        """
        UPDATE events SET status = %(status)s, cancel_reason = %(reason)s, version = version + 1, updated_at = %(at)s
         WHERE id = %(id)s
        RETURNING *
        """,
        id=event_id,
        status=status,
        reason=reason,
        at=at,
    )
    return _existing(row)


def complete(sql: Sql, begun_before: datetime, at: datetime, limit: int) -> list[EventRecord]:
    """Complete published events that began so long ago, the oldest first; skips those that somebody is changing."""
    rows = sql.all(
        """
        UPDATE events SET status = 'COMPLETED', version = version + 1, updated_at = %(at)s
         WHERE id IN (SELECT id FROM events
                       WHERE status = 'PUBLISHED' AND event_date < %(begun_before)s
                       ORDER BY event_date, id LIMIT %(limit)s
                         FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        begun_before=begun_before,
        at=at,
        limit=limit,
    )
    return [_event(row) for row in rows]


def remove(sql: Sql, event_id: UUID) -> None:
    """Delete a locked event."""
    sql.run("DELETE FROM events WHERE id = %(id)s", id=event_id)


def upcoming(
    sql: Sql, wanted: Filter, at: datetime, *, after: tuple[Any, ...] | None, limit: int
) -> list[EventRecord]:
    """Published events that are still to come, the next first; `after` is (event_date, id) of the last one shown."""
    after_date, after_id = after or (None, None)
    rows = sql.all(
        """
        SELECT * FROM events
         WHERE status = 'PUBLISHED' AND event_date > %(at)s AND id <> %(hidden)s::uuid
           AND (%(category)s::text IS NULL OR lower(category) = lower(%(category)s))
           AND (%(since)s::timestamptz IS NULL OR event_date >= %(since)s)
           AND (%(before)s::timestamptz IS NULL OR event_date < %(before)s)
           AND (%(after_id)s::uuid IS NULL OR (event_date, id) > (%(after_date)s::timestamptz, %(after_id)s::uuid))
         ORDER BY event_date, id LIMIT %(limit)s
        """,
        category=wanted.category,
        since=wanted.since,
        before=wanted.before,
        at=at,
        hidden=CANARY_EVENT(),
        after_date=after_date,
        after_id=after_id,
        limit=limit,
    )
    return [_event(row) for row in rows]


def of_organizer(
    sql: Sql, organizer_id: UUID, status: Status | None, *, after: tuple[Any, ...] | None, limit: int
) -> list[EventRecord]:
    """An organizer's events, the newest first; `after` is (created_at, id) of the last one shown."""
    after_created, after_id = after or (None, None)
    rows = sql.all(
        """
        SELECT * FROM events
         WHERE organizer_id = %(organizer_id)s
           AND (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(after_id)s::uuid IS NULL OR (created_at, id) < (%(after_created)s::timestamptz, %(after_id)s::uuid))
         ORDER BY created_at DESC, id DESC LIMIT %(limit)s
        """,
        organizer_id=organizer_id,
        status=status,
        after_created=after_created,
        after_id=after_id,
        limit=limit,
    )
    return [_event(row) for row in rows]


# ---- search


def matching(
    sql: Sql,
    query: str,
    wanted: Filter,
    sort: Sort,
    at: datetime,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[tuple[Any, EventRecord]]:
    """Upcoming events that match, typing errors forgiven, each with its rank (0 when sorted by date).

    `after` is (rank, event_date, id) of the last one shown.
    """
    return _ranked(
        sql.all(
            """
            SELECT * FROM (
                SELECT e.*, CASE WHEN %(sort)s = 'date' THEN 0 ELSE m.rank END AS rank
                  FROM matching_events(%(query)s) m JOIN events e USING (id)
                 WHERE e.event_date > %(at)s AND e.id <> %(hidden)s::uuid
                   AND (%(category)s::text IS NULL OR lower(e.category) = lower(%(category)s))
                   AND (%(since)s::timestamptz IS NULL OR e.event_date >= %(since)s)
                   AND (%(before)s::timestamptz IS NULL OR e.event_date < %(before)s)) found
             WHERE %(after_id)s::uuid IS NULL OR rank < %(after_rank)s::numeric
                OR (rank = %(after_rank)s::numeric
                    AND (event_date, id) > (%(after_date)s::timestamptz, %(after_id)s::uuid))
             ORDER BY rank DESC, event_date, id LIMIT %(limit)s
            """,
            **_search(query, wanted, at, after, limit),
            sort=sort,
        )
    )


def matching_plainly(
    sql: Sql, query: str, wanted: Filter, at: datetime, *, after: tuple[Any, ...] | None, limit: int
) -> list[tuple[Any, EventRecord]]:
    """As `matching`, for when that fails: events that contain the text as it was typed, by date."""
    return _ranked(
        sql.all(
            """
            SELECT *, 0 AS rank FROM events
             WHERE status = 'PUBLISHED' AND event_date > %(at)s AND id <> %(hidden)s::uuid
               AND position(lower(%(query)s) IN lower(search_text)) > 0
               AND (%(category)s::text IS NULL OR lower(category) = lower(%(category)s))
               AND (%(since)s::timestamptz IS NULL OR event_date >= %(since)s)
               AND (%(before)s::timestamptz IS NULL OR event_date < %(before)s)
               AND (%(after_id)s::uuid IS NULL OR (event_date, id) > (%(after_date)s::timestamptz, %(after_id)s::uuid))
             ORDER BY event_date, id LIMIT %(limit)s
            """,
            **_search(query, wanted, at, after, limit),
        )
    )


def matches_by_category(sql: Sql, query: str, wanted: Filter, at: datetime) -> list[Row]:
    """How many upcoming matches each category has, the filter's own category left aside."""
    return sql.all(
        """
        SELECT e.category, count(*) AS count FROM matching_events(%(query)s) m JOIN events e USING (id)
         WHERE e.event_date > %(at)s AND e.id <> %(hidden)s::uuid AND e.category IS NOT NULL
           AND (%(since)s::timestamptz IS NULL OR e.event_date >= %(since)s)
           AND (%(before)s::timestamptz IS NULL OR e.event_date < %(before)s)
         GROUP BY e.category ORDER BY count(*) DESC, e.category
        """,
        query=query,
        since=wanted.since,
        before=wanted.before,
        at=at,
        hidden=CANARY_EVENT(),
    )


def plain_matches_by_category(sql: Sql, query: str, wanted: Filter, at: datetime) -> list[Row]:
    """As `matches_by_category`, of what `matching_plainly` finds."""
    return sql.all(
        """
        SELECT category, count(*) AS count FROM events
         WHERE status = 'PUBLISHED' AND event_date > %(at)s AND id <> %(hidden)s::uuid AND category IS NOT NULL
           AND position(lower(%(query)s) IN lower(search_text)) > 0
           AND (%(since)s::timestamptz IS NULL OR event_date >= %(since)s)
           AND (%(before)s::timestamptz IS NULL OR event_date < %(before)s)
         GROUP BY category ORDER BY count(*) DESC, category
        """,
        query=query,
        since=wanted.since,
        before=wanted.before,
        at=at,
        hidden=CANARY_EVENT(),
    )


def catalogue_version(sql: Sql) -> int:
    """How often what the public sees has changed."""
    row = sql.one("SELECT version FROM catalogue")
    assert row is not None
    return int(row["version"])


def count_change(sql: Sql) -> None:
    """Count a change of what the public sees, in the transaction that makes it."""
    sql.run("UPDATE catalogue SET version = version + 1")


# ---- categories


def categories(sql: Sql, *, after: str | None, limit: int) -> list[Category]:
    """The categories by name; `after` is the last name shown."""
    rows = sql.all(
        """
        SELECT id, name, description FROM event_categories
         WHERE %(after)s::text IS NULL OR name > %(after)s
         ORDER BY name LIMIT %(limit)s
        """,
        after=after,
        limit=limit,
    )
    return [Category(**row) for row in rows]


def category_name(sql: Sql, name: str) -> str | None:
    """The name as the category is spelled, for a name in any case."""
    row = sql.one("SELECT name FROM event_categories WHERE lower(name) = lower(%(name)s)", name=name)
    return row["name"] if row else None


def add_category(sql: Sql, name: str, description: str | None) -> Category:
    """A new category; unique indexes refuse a name there is, in any case."""
    row = sql.one(
        """
        INSERT INTO event_categories (name, description) VALUES (%(name)s, %(description)s)
        RETURNING id, name, description
        """,
        name=name,
        description=description,
    )
    assert row is not None
    return Category(**row)


def _described(request: EventRequest, category: str | None) -> Row:
    return request.model_dump() | {"category": category}


def _search(query: str, wanted: Filter, at: datetime, after: tuple[Any, ...] | None, limit: int) -> Row:
    rank, date, event_id = after or (None, None, None)
    return {
        "query": query,
        "category": wanted.category,
        "since": wanted.since,
        "before": wanted.before,
        "at": at,
        "hidden": CANARY_EVENT(),
        "after_rank": rank,
        "after_date": date,
        "after_id": event_id,
        "limit": limit,
    }


def _ranked(rows: list[Row]) -> list[tuple[Any, EventRecord]]:
    return [(row["rank"], _event(row)) for row in rows]


def _existing(row: Row | None) -> EventRecord:
    assert row is not None
    return _event(row)


def _found(row: Row | None) -> EventRecord | None:
    return None if row is None else _event(row)


def _event(row: Row) -> EventRecord:
    return record(EventRecord, row)
