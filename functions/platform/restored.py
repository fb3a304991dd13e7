"""A database that was restored from a backup, looked at: is it whole, up to when does it go, what does it lack?"""

from datetime import datetime
from typing import Any

from psycopg2 import sql

from functions.platform.databases import connected, migrations_of

# What is written whenever anything happens in a service: its newest row says up to when the copy goes.
_NEWEST = "SELECT max(created_at) FROM outbox"
_APPLIED = "SELECT name FROM schema_migrations"
_TABLES = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""


def look(admin: dict[str, Any], service: str) -> dict[str, Any]:
    """Read every row of a service's database once, and change nothing.

    Args:
        admin: psycopg2's parameters of a connection to the restored server as its administrator, without `dbname`.

    Returns:
        `tables` (rows of each), `newest` (when the last message was written; None if there never was one), and
        `missing`: migrations that the code of today has and the copy has not.

    Raises:
        psycopg2.Error: the server, the database or one of its rows cannot be read.
    """
    with connected(admin, service) as connection, connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on; SET statement_timeout = '600s'")
        cursor.execute(_TABLES)
        tables = {name: _rows(cursor, name) for (name,) in cursor.fetchall()}
        newest: datetime | None = _one(cursor, _NEWEST)
        cursor.execute(_APPLIED)
        applied = {name for (name,) in cursor.fetchall()}
    return {
        "tables": tables,
        "newest": newest and newest.isoformat(),
        "missing": [name for name in migrations_of(service) if name not in applied],
    }


def _rows(cursor: Any, table: str) -> int:
    """How many rows, each of them read whole: a page or a long value that is broken is an error here."""
    whole = sql.SQL("SELECT count(*) FROM {table} WHERE length({table}::text) > 0")
    return int(_one(cursor, whole.format(table=sql.Identifier(table))))


def _one(cursor: Any, statement: sql.Composable | str) -> Any:
    cursor.execute(statement)
    return cursor.fetchone()[0]
