"""SQL of webhook_events: webhooks as they came, and whether they have been handled."""

from datetime import datetime

from functions.payments.gateways.gateway import WebhookEvent
from shared.database import Row, Sql


def store(sql: Sql, provider: str, event: WebhookEvent, at: datetime, *, handled: bool) -> bool:
    """Keep a webhook; True if somebody has still to handle it (also when it was kept before and nobody has)."""
    row = sql.one(
        """
        INSERT INTO webhook_events (provider, event_id, type, object_id, intent_id, charge_id, received_at, handled_at)
        VALUES (%(provider)s, %(event_id)s, %(type)s, %(object_id)s, %(intent_id)s, %(charge_id)s, %(at)s,
                CASE WHEN %(handled)s THEN %(at)s::timestamptz END)
        ON CONFLICT (provider, event_id) DO UPDATE SET type = EXCLUDED.type
        RETURNING handled_at
        """,
        provider=provider,
        event_id=event.id,
        type=event.type,
        object_id=event.object_id,
        intent_id=event.intent_id,
        charge_id=event.charge_id,
        at=at,
        handled=handled,
    )
    return row is not None and row["handled_at"] is None


def unhandled(sql: Sql, provider: str, event_id: str) -> Row | None:
    """A webhook that nobody has handled yet: type, object_id, intent_id, charge_id."""
    return sql.one(
        """
        SELECT type, object_id, intent_id, charge_id FROM webhook_events
         WHERE provider = %(provider)s AND event_id = %(event_id)s AND handled_at IS NULL
        """,
        provider=provider,
        event_id=event_id,
    )


def note_intent(sql: Sql, provider: str, event_id: str, intent_id: str) -> None:
    """Keep which payment a webhook is about that named a charge alone."""
    sql.run(
        """
        UPDATE webhook_events SET intent_id = %(intent_id)s
         WHERE provider = %(provider)s AND event_id = %(event_id)s
        """,
        provider=provider,
        event_id=event_id,
        intent_id=intent_id,
    )


def mark_handled(sql: Sql, provider: str, event_id: str, at: datetime) -> None:
    """Say that a webhook has had its effect."""
    sql.run(
        """
        UPDATE webhook_events SET handled_at = %(at)s
         WHERE provider = %(provider)s AND event_id = %(event_id)s AND handled_at IS NULL
        """,
        provider=provider,
        event_id=event_id,
        at=at,
    )
