"""A person's rights, as far as they are the same in every service: to see what is held, and to be forgotten.

(Articles 15, 17 and 20 of the GDPR.) What a service holds is a table of SELECTs in its repository; what it forgets are
the statements beside it. Whoever was erased stays in `erased_users`, by the id alone, so that a message that comes late
brings nobody back.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared import aws, outbox
from shared.contracts import ExportPartReady, ExportRequested
from shared.database import Database, Sql

QUEUE = "auth-exports"
ERASED_EMAIL = "erased@erased.invalid"
"""Stands where an address has been and a column wants one (RFC 2606: nobody can have it)."""

Records = dict[str, list[dict[str, Any]]]


def held(sql: Sql, statements: Mapping[str, str], user_id: UUID) -> Records:
    """What these statements find of a user, by their names; amounts stay text, with their two places.

    Args:
        statements: each selects one column `record` of JSON, with the parameter `user_id`. Whole rows are taken
            (`to_jsonb(o)`) and secrets taken out by name, so that a new column is in the next export by itself.
    """
    return {name: _records(sql, statement, user_id) for name, statement in statements.items()}


def is_erased(sql: Sql, user_id: UUID) -> bool:
    """Whether the user has been erased here."""
    return sql.one("SELECT 1 AS erased FROM erased_users WHERE user_id = %(id)s", id=user_id) is not None


def mark_erased(sql: Sql, user_id: UUID, at: datetime) -> None:
    """From here on nothing about the user is kept. Comes first in a service's erasure: its statements rely on it."""
    sql.run(
        "INSERT INTO erased_users (user_id, erased_at) VALUES (%(id)s, %(at)s) ON CONFLICT DO NOTHING",
        id=user_id,
        at=at,
    )


def forget_keys(sql: Sql, user_id: UUID) -> None:
    """Forget the user's idempotency keys: a client may have put anything into them."""
    sql.run("DELETE FROM idempotency_keys WHERE starts_with(scope, %(scope)s)", scope=f"{user_id} ")


def export(database: Database, request: ExportRequested, read: Callable[[Sql, UUID], Records]) -> None:
    """Write this service's part of an export and tell auth; safe to do twice.

    Of a user who was erased meanwhile nothing is written, but auth is told: it clears away what others wrote.
    """
    with database.transaction() as sql:
        part = None if is_erased(sql, request.user_id) else read(sql, request.user_id)
    if part is not None:
        put(part_key(request.export_id, database.service), part)
    ready = ExportPartReady(export_id=request.export_id, user_id=request.user_id, service=database.service)
    with database.transaction() as sql:
        outbox.send(sql, QUEUE, ready, subject=request.export_id)


def part_key(export_id: UUID, service: str) -> str:
    """Where a service's part of an export lies in the bucket."""
    return f"{export_id}/{service}.json"


def put(key: str, document: Any) -> None:
    """Write a JSON document into the bucket of exports."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    aws.client("s3").put_object(
        Bucket=os.environ["EXPORTS_BUCKET"], Key=key, Body=text.encode(), ContentType="application/json"
    )


def _records(sql: Sql, statement: str, user_id: UUID) -> list[dict[str, Any]]:
    row = sql.one(
        f"SELECT coalesce(jsonb_agg(found.record), '[]')::text AS records FROM ({statement}) AS found",  # noqa: S608
        user_id=user_id,
    )
    assert row is not None
    records: list[dict[str, Any]] = json.loads(row["records"], parse_float=str)
    return records
