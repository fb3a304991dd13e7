"""A restored server is looked at: what it holds, up to when, what it lacks, and that each row can be read."""

from pathlib import Path
from typing import Any

import psycopg2
import pytest

from functions.platform import databases
from functions.platform.jobs import look_at_restored
from local.postgres import Postgres

PATH = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('spoiled')"


def looked_at(server: Postgres) -> dict[str, Any]:
    return look_at_restored.handler({"hosts": dict.fromkeys(databases.SERVICES, server.host)}, None)


def ask(server: Postgres, database: str, statement: str) -> Any:
    connection = psycopg2.connect(host=server.host, port=server.port, user="postgres", dbname=database)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (found,) = cursor.fetchall()
    connection.close()
    return found[0]


def run(server: Postgres, database: str, statement: str) -> None:
    connection = psycopg2.connect(host=server.host, port=server.port, user="postgres", dbname=database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_rows_are_counted_and_the_last_message_says_up_to_when_the_copy_goes(deployed: Postgres) -> None:
    run(
        deployed,
        "tickets",
        "INSERT INTO inbox VALUES ('a', gen_random_uuid(), now()), ('b', gen_random_uuid(), now())",
    )
    run(
        deployed,
        "tickets",
        "INSERT INTO outbox (message_id, destination, type, subject, version, sensitive, created_at, claimed_until)"
        " VALUES (gen_random_uuid(), 'topic', 't.v1', gen_random_uuid(), 1, false, '2026-11-26T12:00:00Z', now())",
    )

    seen = looked_at(deployed)

    assert set(seen) == set(databases.SERVICES)
    assert seen["tickets"]["tables"]["inbox"] == 2
    assert seen["tickets"]["newest"] == "2026-11-26T12:00:00+00:00"
    assert seen["tickets"]["missing"] == []
    assert seen["payments"]["newest"] is None


def test_a_copy_from_before_the_last_migration_says_what_it_lacks(deployed: Postgres) -> None:
    known, other = "events/0001_initial.sql", "events/0000_other.sql"
    run(deployed, "events", f"UPDATE schema_migrations SET name = '{other}' WHERE name = '{known}'")

    assert looked_at(deployed)["events"]["missing"] == [known]

    run(deployed, "events", f"UPDATE schema_migrations SET name = '{known}' WHERE name = '{other}'")


def test_nothing_is_changed_and_others_are_not_asked(deployed: Postgres) -> None:
    seen = look_at_restored.handler({"hosts": {"tickets": deployed.host}}, None)

    assert set(seen) == {"tickets"}


def test_a_page_that_is_broken_is_an_error(deployed: Postgres) -> None:
    run(deployed, "auth", "CREATE TABLE spoiled AS SELECT generate_series(1, 1000) AS a")
    run(deployed, "auth", "VACUUM FULL spoiled")  # its new file is not in the server's memory
    run(deployed, "auth", "CHECKPOINT")
    with Path(ask(deployed, "auth", PATH)).open("r+b") as file:
        file.seek(4000)
        file.write(b"spoiled")

    with pytest.raises(psycopg2.errors.DataCorrupted):
        looked_at(deployed)
