"""What a database refuses by itself: every constraint, each with statements that nothing but it refuses."""

from collections.abc import Iterable
from typing import Any

import psycopg2

from tests.databases import TestDatabase

# What every service's database has, whatever the service: tests/integration/shared/test_constraints.py.
SHARED = ("outbox", "inbox", "idempotency_keys", "erased_users", "schema_migrations")


def add(db: TestDatabase, table: str, **row: Any) -> None:
    """Put a row into a table."""
    values = ", ".join(f"%({column})s" for column in row)
    db.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", **row)


def constraints(db: TestDatabase, *, shared: bool = False) -> set[str]:
    """Every CHECK, foreign key and unique key of a service's own tables, or of those that all services have.

    Not those numbers that the database gives rows by itself.
    """
    rows = db.all(
        """
        SELECT c.conrelid::regclass::text AS of_table, c.conname AS name FROM pg_constraint c
         WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('c', 'f', 'p', 'u')
           AND NOT (c.contype = 'p' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid
                                                   AND a.attnum = c.conkey[1] AND a.attidentity <> ''))
        UNION
        SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text FROM pg_index i
          JOIN pg_class k ON k.oid = i.indexrelid
         WHERE k.relnamespace = 'public'::regnamespace AND i.indisunique
           AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
        """
    )
    return {row["name"] for row in rows if (row["of_table"] in SHARED) == shared}


def not_refused(db: TestDatabase, tries: Iterable[tuple[str, str]]) -> list[tuple[str, str, str | None]]:
    """Of these constraints and statements, those where another constraint refuses the statement, or none does."""
    found = [(constraint, statement, _refused_by(db, statement)) for constraint, statement in tries]
    return [(constraint, statement, by) for constraint, statement, by in found if by != constraint]


def _refused_by(db: TestDatabase, statement: str) -> str | None:
    """The constraint that refuses this; nothing of it stays."""
    connection = psycopg2.connect(db.dsn)
    try:
        connection.cursor().execute(statement)
    except psycopg2.IntegrityError as refused:
        return refused.diag.constraint_name
    finally:
        connection.rollback()
        connection.close()
    return None
