"""Idempotency keys as API v1 keeps them: https://docs.stripe.com/api/idempotent_requests.

The first answer is replayed for the same request, errors and 500s included; another request under the same key is an
error; a request under a key that is being worked on is a conflict.
"""

import hashlib
import json
from dataclasses import dataclass

from local.stripe_simulator.errors import Refusal
from local.stripe_simulator.ids import Json
from local.stripe_simulator.store import Store

# Stripe may forget a key once it is at least 24 hours old.
KEPT_SECONDS = 24 * 3600
_LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer, and the id of the request that was answered first."""

    status: int
    body: str
    request_id: str


def fingerprint(values: Json) -> str:
    """SHA-256 of a request's parameters, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Keys:
    """The keys in use now (in memory: they end with the process) and those answered (in the store)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_use: set[str] = set()

    def begin(self, key: str, path: str, parameters: str) -> Answer | None:
        """The answer to replay, or None: the caller then owns the key until `end`.

        Raises:
            Refusal: 400 when the key belongs to another request, 409 when it is in use.
        """
        if len(key) > _LONGEST_KEY:
            raise _idempotency_error(400, f"Idempotency keys may have up to {_LONGEST_KEY} characters.")
        if key in self._in_use:
            raise _idempotency_error(
                409,
                "There is currently another in-progress request using this Idempotent Key (that probably means you"
                f" submitted twice, and the other request is still going through): {key}. Please try again later.",
                code="idempotency_key_in_use",
            )
        row = self._store.row("SELECT * FROM idempotency_keys WHERE key = :key", key=key)
        if row is None:
            self._in_use.add(key)
            return None
        other = f"Try using a key other than '{key}' if you meant to execute a different request."
        if row["path"] != path:
            raise _idempotency_error(
                400,
                "Keys for idempotent requests can only be used for the same endpoint they were first used for"
                f" ('{path}' vs '{row['path']}'). {other}",
            )
        if row["parameters"] != parameters:
            raise _idempotency_error(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
                f" {other}",
            )
        return Answer(row["status"], row["body"], row["request_id"])

    def keep(self, key: str, path: str, parameters: str, answer: Answer, now: float) -> None:
        """Remember the answer, in the transaction of the work it tells of."""
        self._store.run(
            """INSERT INTO idempotency_keys (key, path, parameters, status, body, request_id, created)
               VALUES (:key, :path, :parameters, :status, :body, :request_id, :now)""",
            key=key,
            path=path,
            parameters=parameters,
            status=answer.status,
            body=answer.body,
            request_id=answer.request_id,
            now=now,
        )

    def end(self, key: str) -> None:
        """Give the key back."""
        self._in_use.discard(key)

    def forget_old(self, now: float) -> None:
        """Drop what Stripe would have pruned."""
        self._store.run("DELETE FROM idempotency_keys WHERE created < :before", before=now - KEPT_SECONDS)


def _idempotency_error(status: int, message: str, code: str | None = None) -> Refusal:
    return Refusal(status, "idempotency_error", message, code=code, executed=False)
