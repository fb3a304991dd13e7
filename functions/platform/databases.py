"""A service's database, from nothing to ready: the database, the service's role, the tables, the rights."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
from psycopg2 import sql
from psycopg2.errors import DuplicateDatabase

from functions.platform.auditor_rights import AUDITOR, readable
from shared import migrations_runner

SERVICES = ("auth", "events", "tickets", "payments", "notifications")
MAINTENANCE = "postgres"  # the database that every server has, from which others are created

# The repository's layout is the zip's: functions/<service>/migrations beside functions/platform.
_FUNCTIONS = Path(__file__).resolve().parents[1]
_SHARED_MIGRATIONS = Path(migrations_runner.__file__).parent / "migrations"

# Set on the role, since RDS Proxy pins a connection whose session SETs something. No statement outlives the request
# that waits for it, no lock is waited for longer than a buyer would, no forgotten transaction holds its locks.
_TIME_LIMITS = {
    "statement_timeout": "8s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
}

# The auditor's statements count, and its transaction is read from while others' databases are asked.
_AUDITOR_TIME_LIMITS = {
    "statement_timeout": "120s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "600s",
    "default_transaction_read_only": "on",
}

_CREATE_ROLE = """
DO $$
BEGIN
    CREATE ROLE {role} LOGIN;
EXCEPTION WHEN duplicate_object THEN
    NULL;
END $$
"""

# On RDS a role in `rds_iam` signs in with a token that IAM signed; elsewhere there is no such role.
_SIGN_IN_BY_IAM = """
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO {role};
    END IF;
END $$
"""

# A service's role reads and writes its own tables, and cannot even connect to the database of another one.
_GRANTS = """
REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {role};
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO {role};
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM {role};
"""

# The auditor's role connects to every database, reads the columns that are named for it, and writes nothing.
_AUDITOR_CONNECTS = """
GRANT CONNECT ON DATABASE {database} TO {role};
GRANT USAGE ON SCHEMA public TO {role};
"""


def prepare(admin: dict[str, Any], service: str, *, database: str | None = None) -> list[str]:
    """Create what is missing of a service's database, and bring it up to date; safe to run again.

    Args:
        admin: psycopg2's parameters of a connection to the instance (host, port, user, password, sslmode …) whose user
            may create databases and roles; without `dbname`.
        service: one of SERVICES; its role is `<service>_app`.
        database: the database's name if it is not the service's.

    Returns:
        the names of the migrations applied.

    Raises:
        EditedMigration, LockBusy: see `shared.migrations_runner`.
    """
    name, role = sql.Identifier(database or service), sql.Identifier(f"{service}_app")
    auditor = sql.Identifier(AUDITOR)
    with connected(admin, MAINTENANCE) as connection:
        _create_database(connection, name)
        _create_role(connection, role, _TIME_LIMITS)
        _create_role(connection, auditor, _AUDITOR_TIME_LIMITS)
    with connected(admin, database or service) as connection:
        applied = migrations_runner.migrate(connection, _folders(service))
        _run(connection, _GRANTS, database=name, role=role)
        _run(connection, _AUDITOR_CONNECTS, database=name, role=auditor)
        _let_read(connection, auditor, readable(service))
    return applied


def migrations_of(service: str) -> list[str]:
    """The names of the migrations that the database of a service has when it is up to date."""
    return list(migrations_runner.files_of(_folders(service)))


def _folders(service: str) -> list[Path]:
    return [_SHARED_MIGRATIONS, _FUNCTIONS / service / "migrations"]


@contextmanager
def connected(admin: dict[str, Any], database: str) -> Iterator[psycopg2.extensions.connection]:
    """A connection as the administrator, each statement a transaction of its own."""
    connection = psycopg2.connect(**admin, dbname=database)
    try:
        connection.autocommit = True
        yield connection
    finally:
        connection.close()


def _create_database(connection: psycopg2.extensions.connection, name: sql.Identifier) -> None:
    with suppress(DuplicateDatabase):
        _run(connection, "CREATE DATABASE {database}", database=name)


def _create_role(
    connection: psycopg2.extensions.connection, role: sql.Identifier, limits: dict[str, str]
) -> None:
    _run(connection, _CREATE_ROLE, role=role)
    _run(connection, _SIGN_IN_BY_IAM, role=role)
    for limit, value in limits.items():
        statement = sql.SQL("ALTER ROLE {role} SET {limit} = {value}").format(
            role=role, limit=sql.Identifier(limit), value=sql.Literal(value)
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _let_read(
    connection: psycopg2.extensions.connection, role: sql.Identifier, columns: dict[str, list[str]]
) -> None:
    for table, names in columns.items():
        statement = sql.SQL("GRANT SELECT ({columns}) ON {table} TO {role}").format(
            columns=sql.SQL(", ").join(map(sql.Identifier, names)), table=sql.Identifier(table), role=role
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _run(connection: psycopg2.extensions.connection, statements: str, **names: sql.Identifier) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statements).format(**names))
