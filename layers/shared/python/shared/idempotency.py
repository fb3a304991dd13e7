"""Idempotency keys, kept in the service's own database and written in the business transaction.

The same key with the same request gives the first answer again; with another request it is a conflict. Claiming is an
INSERT: a duplicate that arrives meanwhile waits for the first one's commit, then finds its answer. Only answers of
committed transactions, hence only successes, are kept.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared import retention
from shared.clock import now
from shared.database import Row, Sql
from shared.errors import Conflict
from shared.settings import Setting

KEEP_HOURS = Setting("idempotency_hours", 24, "Hours for which an idempotency key is remembered")
MAX_KEY_LENGTH = 255


class KeyConflict(Conflict):
    """The key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    message = "This idempotency key was used with another request"


@dataclass(frozen=True)
class Key:
    """A key as the caller sent it, with what it is bound to."""

    scope: str
    value: str
    request_hash: str

    @classmethod
    def of(cls, value: str, *, user: UUID, method: str, path: str, body: Any) -> "Key":
        """Bind a key to user + method + path, and to the request's content (white space aside)."""
        content = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return cls(f"{user} {method} {path}", value, hashlib.sha256(content.encode()).hexdigest())


def claim(sql: Sql, key: Key) -> Row | None:
    """Take the key for this transaction, or give back the answer that was kept under it.

    Raises:
        KeyConflict: the key belongs to another request.
    """
    oldest = now().timestamp() - KEEP_HOURS() * 3600
    claimed = sql.run(
        """
        INSERT INTO idempotency_keys (scope, key, request_hash, created_at)
        VALUES (%(scope)s, %(key)s, %(hash)s, %(now)s)
        ON CONFLICT (scope, key) DO UPDATE SET request_hash = EXCLUDED.request_hash, answer = NULL,
                                               created_at = EXCLUDED.created_at
         WHERE idempotency_keys.created_at < to_timestamp(%(oldest)s)
        """,
        scope=key.scope,
        key=key.value,
        hash=key.request_hash,
        now=now(),
        oldest=oldest,
    )
    if claimed:
        return None
    kept = sql.one(
        "SELECT request_hash, answer FROM idempotency_keys WHERE scope = %(scope)s AND key = %(key)s",
        scope=key.scope,
        key=key.value,
    )
    if kept is None or kept["request_hash"] != key.request_hash:
        raise KeyConflict()
    answer: Row = kept["answer"]
    return answer


def keep(sql: Sql, key: Key, status: int, body: Any) -> None:
    """Keep the answer under the claimed key, in the same transaction as what it answers for."""
    sql.run(
        "UPDATE idempotency_keys SET answer = %(answer)s WHERE scope = %(scope)s AND key = %(key)s",
        answer={"status": status, "body": body},
        scope=key.scope,
        key=key.value,
    )


def forget(sql: Sql, at: datetime, limit: int) -> int:
    """Delete keys past their time, so many at most; the number deleted."""
    return retention.forget(sql, "idempotency_keys", "created_at", at - timedelta(hours=KEEP_HOURS()), limit)
