"""SQL of the sales figures: the log of messages (sales_messages) and the tables that are its fold.

A fold takes the messages of an event from one number in the log to another: the figures that messages bring one by one
and those of a rebuild come from the same statements. Each gives the same rows whatever the order of messages, and
whether they come once or twice. The caller has the event's lock.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.database import Row, Sql

_GIVEN = "m.event_id = %(event_id)s AND m.id BETWEEN %(first)s AND %(last)s"


def lock(sql: Sql, event_id: UUID) -> None:
    """Have whoever else folds this event's messages wait until this transaction is over."""
    sql.run(
        """
        INSERT INTO sales_events (event_id) VALUES (%(event_id)s)
        ON CONFLICT (event_id) DO UPDATE SET event_id = EXCLUDED.event_id
        """,
        event_id=event_id,
    )


def is_gone(sql: Sql, event_id: UUID) -> bool:
    """Whether there is no such event any more; call it with the event's lock."""
    return sql.one("SELECT 1 AS found FROM events WHERE id = %(event_id)s", event_id=event_id) is None


def append(
    sql: Sql,
    message_id: UUID,
    event_id: UUID,
    type: str,
    *,
    subject: UUID,
    version: int,
    at: datetime,
    data: dict[str, Any],
) -> int | None:
    """Add a message to the log; its number there, None if it is there already."""
    row = sql.one(
        """
        INSERT INTO sales_messages (message_id, event_id, type, subject, version, occurred_at, data)
        VALUES (%(message_id)s, %(event_id)s, %(type)s, %(subject)s, %(version)s, %(at)s, %(data)s)
        ON CONFLICT (message_id) DO NOTHING
        RETURNING id
        """,
        message_id=message_id,
        event_id=event_id,
        type=type,
        subject=subject,
        version=version,
        at=at,
        data=data,
    )
    return row["id"] if row else None


def span(sql: Sql, event_id: UUID) -> tuple[int, int]:
    """The numbers in the log of an event's first and last message; (0, -1) if there is none."""
    row = sql.one(
        """
        SELECT coalesce(min(id), 0) AS first, coalesce(max(id), -1) AS last FROM sales_messages
         WHERE event_id = %(event_id)s
        """,
        event_id=event_id,
    )
    assert row is not None
    return row["first"], row["last"]


def fold_time(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of any message: when the newest thing happened."""
    sql.run(
        f"""
        UPDATE sales_events e SET told_at = greatest(e.told_at, news.told_at)
          FROM (SELECT max(m.occurred_at) AS told_at FROM sales_messages m WHERE {_GIVEN}) AS news
         WHERE e.event_id = %(event_id)s
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_stock(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of stock_changed: each type as its newest message has it."""
    sql.run(
        f"""
        INSERT INTO sales_types AS kept (ticket_type_id, event_id, version, position, name, price, currency, capacity,
                                         sold, held)
        SELECT DISTINCT ON ((t.type->>'ticketTypeId')::uuid) (t.type->>'ticketTypeId')::uuid, m.event_id, m.version,
               t.position, t.type->>'name', (t.type->>'price')::decimal, t.type->>'currency',
               (t.type->>'capacity')::integer, (t.type->>'sold')::integer, (t.type->>'held')::integer
          FROM sales_messages m, jsonb_array_elements(m.data->'types') WITH ORDINALITY AS t (type, position)
         WHERE {_GIVEN} AND m.type = 'tickets.stock_changed.v1'
         ORDER BY (t.type->>'ticketTypeId')::uuid, m.version DESC, m.id
        ON CONFLICT (ticket_type_id) DO UPDATE
           SET version = EXCLUDED.version, position = EXCLUDED.position, name = EXCLUDED.name, price = EXCLUDED.price,
               currency = EXCLUDED.currency, capacity = EXCLUDED.capacity, sold = EXCLUDED.sold, held = EXCLUDED.held
         WHERE kept.version < EXCLUDED.version
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_stock_version(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of stock_changed: which message is the newest, so that types it leaves out are known to be deleted."""
    sql.run(
        f"""
        UPDATE sales_events e SET stock_version = news.version, stock_told_at = news.occurred_at
          FROM (SELECT m.version, m.occurred_at FROM sales_messages m
                 WHERE {_GIVEN} AND m.type = 'tickets.stock_changed.v1'
                 ORDER BY m.version DESC, m.id LIMIT 1) AS news
         WHERE e.event_id = %(event_id)s AND coalesce(e.stock_version, 0) < news.version
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_orders(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of order_changed: each order as its newest version has it."""
    sql.run(
        f"""
        INSERT INTO sales_orders AS kept (order_id, event_id, version, placed_at, currency, captured, refunded, items,
                                          refunds)
        SELECT DISTINCT ON (m.subject) m.subject, m.event_id, m.version, (m.data->>'createdAt')::timestamptz,
               m.data->>'currency', (m.data->>'capturedAmount')::decimal, (m.data->>'refundedAmount')::decimal,
               m.data->'items', m.data->'refunds'
          FROM sales_messages m
         WHERE {_GIVEN} AND m.type = 'payments.order_changed.v1'
         ORDER BY m.subject, m.version DESC, m.id
        ON CONFLICT (order_id) DO UPDATE
           SET version = EXCLUDED.version, captured = EXCLUDED.captured, refunded = EXCLUDED.refunded,
               items = EXCLUDED.items, refunds = EXCLUDED.refunds, placed_at = EXCLUDED.placed_at
         WHERE kept.version < EXCLUDED.version
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_issued(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of order_issued: the tickets there are. One that was void is valid again by news of a higher version."""
    sql.run(
        f"""
        INSERT INTO sales_tickets AS kept (ticket_id, event_id, order_id, ticket_type_id, issued_version, issued_at)
        SELECT t."ticketId", m.event_id, m.subject, t."ticketTypeId", max(m.version), min(m.occurred_at)
          FROM sales_messages m,
               jsonb_to_recordset(m.data->'tickets') AS t ("ticketId" UUID, "ticketTypeId" UUID)
         WHERE {_GIVEN} AND m.type = 'tickets.order_issued.v1'
         GROUP BY t."ticketId", m.event_id, m.subject, t."ticketTypeId"
        ON CONFLICT (ticket_id) DO UPDATE
           SET ticket_type_id = EXCLUDED.ticket_type_id,
               issued_version = greatest(kept.issued_version, EXCLUDED.issued_version),
               issued_at = least(kept.issued_at, EXCLUDED.issued_at),
               is_void = coalesce(kept.voided_version > greatest(kept.issued_version, EXCLUDED.issued_version),
                                  kept.is_void)
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_voided(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of tickets_voided: tickets that are void, unless they were issued by news of a higher version."""
    sql.run(
        f"""
        INSERT INTO sales_tickets AS kept (ticket_id, event_id, order_id, voided_version, is_void)
        SELECT t.id::uuid, m.event_id, m.subject, max(m.version), TRUE
          FROM sales_messages m, jsonb_array_elements_text(m.data->'ticketIds') AS t (id)
         WHERE {_GIVEN} AND m.type = 'tickets.tickets_voided.v1'
         GROUP BY t.id, m.event_id, m.subject
        ON CONFLICT (ticket_id) DO UPDATE
           SET voided_version = greatest(kept.voided_version, EXCLUDED.voided_version),
               is_void = coalesce(greatest(kept.voided_version, EXCLUDED.voided_version) > kept.issued_version, TRUE)
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_used(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of ticket_checked_in: tickets that somebody came in with."""
    sql.run(
        f"""
        INSERT INTO sales_tickets AS kept (ticket_id, event_id, order_id, used_at)
        SELECT DISTINCT ON (m.subject) m.subject, m.event_id, (m.data->>'orderId')::uuid,
               (m.data->>'checkedInAt')::timestamptz
          FROM sales_messages m
         WHERE {_GIVEN} AND m.type = 'tickets.ticket_checked_in.v1'
         ORDER BY m.subject, (m.data->>'checkedInAt')::timestamptz
        ON CONFLICT (ticket_id) DO UPDATE SET used_at = least(kept.used_at, EXCLUDED.used_at)
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def fold_released(sql: Sql, event_id: UUID, first: int, last: int) -> None:
    """Of order_released: up to which version an order's tickets are void; it may be issued anew after that."""
    sql.run(
        f"""
        INSERT INTO sales_releases AS kept (order_id, event_id, version)
        SELECT m.subject, m.event_id, max(m.version) FROM sales_messages m
         WHERE {_GIVEN} AND m.type = 'tickets.order_released.v1'
         GROUP BY m.subject, m.event_id
        ON CONFLICT (order_id) DO UPDATE SET version = greatest(kept.version, EXCLUDED.version)
        """,  # noqa: S608  # the constant above
        event_id=event_id,
        first=first,
        last=last,
    )


def forget(sql: Sql, event_id: UUID) -> None:
    """Drop all that is folded of an event; the log stays."""
    sql.run(
        """
        WITH types AS (DELETE FROM sales_types WHERE event_id = %(event_id)s),
             orders AS (DELETE FROM sales_orders WHERE event_id = %(event_id)s),
             tickets AS (DELETE FROM sales_tickets WHERE event_id = %(event_id)s),
             releases AS (DELETE FROM sales_releases WHERE event_id = %(event_id)s)
        UPDATE sales_events SET told_at = NULL, stock_version = NULL, stock_told_at = NULL
         WHERE event_id = %(event_id)s
        """,
        event_id=event_id,
    )


def known(sql: Sql, after: UUID | None) -> UUID | None:
    """The event with messages, or something folded, whose id comes next; None after the last."""
    row = sql.one(
        """
        SELECT least((SELECT event_id FROM sales_messages
                       WHERE %(after)s::uuid IS NULL OR event_id > %(after)s::uuid ORDER BY event_id LIMIT 1),
                     (SELECT event_id FROM sales_events
                       WHERE %(after)s::uuid IS NULL OR event_id > %(after)s::uuid ORDER BY event_id LIMIT 1)) AS id
        """,
        after=after,
    )
    return row["id"] if row else None


def figures(sql: Sql, event_id: UUID, time_zone: str) -> Row:
    """An event's figures, all of one moment: as_of, stock_as_of, checked_in, refunds, types and days (as JSON)."""
    row = sql.one(
        """
        WITH lines AS (
            SELECT o.placed_at, i."ticketTypeId" AS type_id, i.quantity * i."unitPrice" AS revenue
              FROM sales_orders o,
                   jsonb_to_recordset(o.items) AS i ("ticketTypeId" UUID, quantity INTEGER, "unitPrice" DECIMAL)
             WHERE o.event_id = %(event_id)s AND o.captured > 0
        ), refunds AS (
            SELECT r.amount, r."refundedAt" AS refunded_at, r.shares
              FROM sales_orders o,
                   jsonb_to_recordset(o.refunds) AS r (amount DECIMAL, "refundedAt" TIMESTAMPTZ, shares JSONB)
             WHERE o.event_id = %(event_id)s AND o.refunded > 0
        ), tickets AS (
            SELECT k.ticket_type_id AS type_id, coalesce(o.placed_at, k.issued_at) AS placed_at,
                   k.is_void OR coalesce(r.version > k.issued_version, FALSE) AS is_void
              FROM sales_tickets k LEFT JOIN sales_orders o USING (order_id)
              LEFT JOIN sales_releases r USING (order_id)
             WHERE k.event_id = %(event_id)s AND k.issued_version IS NOT NULL
        ), by_type AS (
            SELECT type_id, sum(revenue) AS revenue, sum(refunds) AS refunds, sum(sold) AS sold, sum(voided) AS voided
              FROM (SELECT type_id, revenue, 0.00 AS refunds, 0 AS sold, 0 AS voided FROM lines
                    UNION ALL
                    SELECT s."ticketTypeId", 0, s.amount, 0, 0
                      FROM refunds, jsonb_to_recordset(shares) AS s ("ticketTypeId" UUID, amount DECIMAL)
                    UNION ALL
                    SELECT type_id, 0, 0, (NOT is_void)::integer, is_void::integer FROM tickets) AS parts
             GROUP BY type_id
        ), types AS (
            SELECT coalesce(t.ticket_type_id, b.type_id) AS ticket_type_id, t.name, t.price::text, t.currency,
                   t.capacity, t.version IS DISTINCT FROM e.stock_version AS deleted, t.position,
                   t.held, t.capacity - t.sold - t.held AS free,
                   coalesce(b.revenue, 0)::text AS revenue, coalesce(b.refunds, 0)::text AS refunds,
                   coalesce(b.sold, 0) AS sold, coalesce(b.voided, 0) AS voided
              FROM (SELECT * FROM sales_types WHERE event_id = %(event_id)s) AS t
              FULL JOIN by_type b ON b.type_id = t.ticket_type_id
              LEFT JOIN sales_events e ON e.event_id = %(event_id)s
        ), days AS (
            SELECT (at AT TIME ZONE %(time_zone)s)::date AS date, sum(tickets) AS tickets,
                   sum(revenue)::text AS revenue, sum(refunds)::text AS refunds
              FROM (SELECT placed_at AS at, 0 AS tickets, revenue, 0.00 AS refunds FROM lines
                    UNION ALL SELECT placed_at, 1, 0, 0 FROM tickets
                    UNION ALL SELECT refunded_at, 0, 0, amount FROM refunds) AS parts
             GROUP BY 1
        )
        SELECT (SELECT told_at FROM sales_events WHERE event_id = %(event_id)s) AS as_of,
               (SELECT stock_told_at FROM sales_events WHERE event_id = %(event_id)s) AS stock_as_of,
               (SELECT count(*) FROM sales_tickets WHERE event_id = %(event_id)s AND used_at IS NOT NULL) AS checked_in,
               (SELECT coalesce(sum(amount), 0) FROM refunds) AS refunds,
               (SELECT coalesce(jsonb_agg(to_jsonb(types) ORDER BY deleted, position, ticket_type_id), '[]')
                  FROM types) AS types,
               (SELECT coalesce(jsonb_agg(to_jsonb(days) ORDER BY date), '[]') FROM days) AS days
        """,
        event_id=event_id,
        time_zone=time_zone,
    )
    assert row is not None
    return row
