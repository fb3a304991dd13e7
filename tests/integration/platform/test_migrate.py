"""The databases are made from nothing, once, and each service's role reaches its own tables only."""

from typing import Any

import psycopg2
import pytest

from functions.platform import databases
from functions.platform.auditor_rights import AUDITOR, readable
from functions.platform.jobs import migrate
from local.postgres import Postgres


def as_service(server: Postgres, service: str, database: str) -> Any:
    return psycopg2.connect(host=server.host, port=server.port, user=f"{service}_app", dbname=database)


def test_a_second_run_has_nothing_to_do(deployed: Postgres) -> None:
    assert migrate.handler({}, None) == {"handled": 0}


@pytest.mark.parametrize("service", databases.SERVICES)
def test_a_service_reads_and_writes_its_tables(deployed: Postgres, service: str) -> None:
    connection = as_service(deployed, service, service)
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO inbox VALUES ('c', gen_random_uuid(), now())")
        cursor.execute("SELECT count(*) FROM inbox")
        assert cursor.fetchone()[0] == 1
        connection.rollback()
    connection.close()


def test_a_service_cannot_connect_to_the_database_of_another(deployed: Postgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        as_service(deployed, "tickets", "payments")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id INT)", "DROP TABLE outbox", "DELETE FROM schema_migrations"],
)
def test_a_service_cannot_change_its_schema(deployed: Postgres, statement: str) -> None:
    connection = as_service(deployed, "tickets", "tickets")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_a_service_waits_for_nothing_for_long(deployed: Postgres) -> None:
    connection = as_service(deployed, "auth", "auth")
    with connection.cursor() as cursor:
        for limit, value in (
            ("statement_timeout", "8s"),
            ("lock_timeout", "3s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ):
            cursor.execute(f"SHOW {limit}")
            assert cursor.fetchone()[0] == value
    connection.close()


def test_on_rds_a_service_signs_in_by_iam(server: Postgres) -> None:
    admin: dict[str, Any] = {"host": server.host, "port": server.port, "user": "postgres"}
    with psycopg2.connect(**admin, dbname="postgres") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE ROLE rds_iam")
    connection.close()

    databases.prepare(admin, "auth")

    with psycopg2.connect(**admin, dbname="postgres") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role('auth_app', 'rds_iam', 'member')")
        assert cursor.fetchone() == (True,)
    connection.close()


def as_auditor(server: Postgres, database: str) -> Any:
    return psycopg2.connect(host=server.host, port=server.port, user=AUDITOR, dbname=database)


@pytest.mark.parametrize("service", databases.SERVICES)
def test_the_auditor_reads_what_is_named_for_it_in_every_database(deployed: Postgres, service: str) -> None:
    connection = as_auditor(deployed, service)
    with connection.cursor() as cursor:
        for table, columns in readable(service).items():
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table}")
    connection.close()


@pytest.mark.parametrize(
    ("service", "statement"),
    [
        ("auth", "SELECT email FROM users"),
        ("notifications", "SELECT recipient_email FROM notifications"),
        ("notifications", "SELECT * FROM recipients"),
        ("payments", "SELECT payment_token FROM payment_transactions"),
        ("tickets", "SELECT holder_names FROM purchases"),
        ("tickets", "SELECT qr_code FROM tickets"),
        ("tickets", "SELECT payload FROM outbox"),
    ],
)
def test_the_auditor_reads_nothing_of_a_person_s(deployed: Postgres, service: str, statement: str) -> None:
    connection = as_auditor(deployed, service)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ticket_types SET quantity_sold = 0", "DELETE FROM outbox", "CREATE TABLE mine (id INT)"],
)
def test_the_auditor_changes_nothing(deployed: Postgres, statement: str) -> None:
    connection = as_auditor(deployed, "tickets")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
    connection.close()
