"""Everything a simulator remembers: one SQLite file, so that kill -9 at any point loses nothing it answered.

WAL with `synchronous=NORMAL` survives the death of the process (not of the machine, which a laptop may do without):
https://www.sqlite.org/pragma.html#pragma_synchronous. One connection, used from the event loop only; nothing awaits
inside a transaction, so transactions never interleave.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from local.simulation.json import Json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    object   TEXT NOT NULL,             -- what it is: payment_intent, order, refund, event, …
    intent   TEXT,                      -- the payment it belongs to
    type     TEXT,                      -- of an event
    created  INTEGER NOT NULL,
    body     TEXT NOT NULL,             -- the object as the provider would show it
    token    TEXT                       -- the test token behind a payment method: decides, never shown
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (object, sequence);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (intent, object) WHERE intent IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key        TEXT PRIMARY KEY,
    path       TEXT NOT NULL,
    parameters TEXT NOT NULL,           -- their SHA-256
    status     INTEGER NOT NULL,
    body       TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created    REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    event        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    created      REAL NOT NULL,
    due          REAL,                  -- NULL: delivered or given up
    delivered    REAL,
    last_error   TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS followups (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    due    REAL NOT NULL,
    action TEXT NOT NULL,               -- see the simulator's followups.py
    object TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    mode      TEXT NOT NULL,
    times     INTEGER,                  -- how often it still strikes; NULL: until cleared
    operation TEXT,                     -- only this one, e.g. payment_intents.confirm, orders.capture
    seconds   REAL
);
"""


class Store:
    """The SQLite file, and the provider's objects in it."""

    def __init__(self, path: Path) -> None:
        self._sql = sqlite3.connect(path, isolation_level=None)
        self._sql.row_factory = sqlite3.Row
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = NORMAL")
        self._sql.executescript(_SCHEMA)

    def close(self) -> None:
        """Flush and close the file."""
        self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; used by entry points only, never nested."""
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        self._sql.execute("COMMIT")

    def run(self, statement: str, **values: object) -> int:
        """Execute one statement; returns the number of rows changed."""
        return self._sql.execute(statement, values).rowcount

    def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        return [dict(row) for row in self._sql.execute(statement, values)]

    def row(self, statement: str, **values: object) -> dict[str, Any] | None:
        """The first row of a query, if there is one."""
        row = self._sql.execute(statement, values).fetchone()
        return dict(row) if row else None

    def keep(
        self,
        kind: str,
        identifier: str,
        body: Json,
        created: int,
        *,
        intent: str | None = None,
        type: str | None = None,
        token: str | None = None,
    ) -> None:
        """Add an object, or replace the body of one with the same id."""
        self.run(
            """INSERT INTO objects (id, object, intent, type, created, body, token)
               VALUES (:id, :object, :intent, :type, :created, :body, :token)
               ON CONFLICT (id) DO UPDATE SET body = excluded.body""",
            id=identifier,
            object=kind,
            intent=intent,
            type=type,
            created=created,
            body=json.dumps(body),
            token=token,
        )

    def get(self, kind: str, identifier: str) -> Json | None:
        """The object of this kind with this id."""
        row = self.row("SELECT body FROM objects WHERE id = :id AND object = :kind", id=identifier, kind=kind)
        return cast(Json, json.loads(row["body"])) if row else None
