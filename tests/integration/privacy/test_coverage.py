"""Nothing that is held on a person is left out: tables and columns that are added later are looked at, too."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from tests import dump
from tests.databases import Databases, TestDatabase

HELD = {
    "auth": "functions.auth.privacy_repository",
    "events": "functions.events.privacy_repository",
    "tickets": "functions.tickets.repository.privacy",
    "payments": "functions.payments.repository.privacy",
    "notifications": "functions.notifications.privacy_repository",
}
# Columns that name a user of ours, or a person's address.
PEOPLE = ("user_id", "organizer_id", "requested_by", "email", "recipient_email")
COLUMNS = """
    SELECT DISTINCT table_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = ANY(%(people)s)
"""
# Tables that name a user and are not in an export, with the reason.
NOT_EXPORTED = {"erased_users": "there is nobody left to ask"}


@pytest.fixture(params=HELD)
def database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[TestDatabase]:
    with databases.clone(request.param) as clone:
        yield clone


def test_every_table_that_names_a_user_is_in_the_export(database: TestDatabase) -> None:
    tables = {row["table_name"] for row in database.all(COLUMNS, people=list(PEOPLE))}
    statements = " ".join(import_module(HELD[database.service]).HELD.values())

    missing = {table for table in tables if f" {table} " not in statements}

    assert missing <= set(NOT_EXPORTED)


def test_every_statement_of_an_export_runs(database: TestDatabase) -> None:
    for name, statement in import_module(HELD[database.service]).HELD.items():
        nobody = "00000000-0000-0000-0000-000000000000"
        assert database.all(statement, user_id=nobody) == [], name


def test_the_search_for_a_person_looks_into_tables_and_columns_that_are_new(database: TestDatabase) -> None:
    database.run("CREATE TABLE added_later (id INTEGER, words TEXT)")
    database.run("ALTER TABLE erased_users ADD COLUMN remark JSONB")
    database.run("INSERT INTO added_later VALUES (1, 'Xanthippe was here')")
    database.run('INSERT INTO erased_users VALUES (gen_random_uuid(), now(), \'{"by": ["Xanthippe"]}\')')

    found = dump.places(dump.tables(database.dsn), {"xanthippe", "nobody else"})

    assert found == {"xanthippe": {"public.added_later", "public.erased_users"}}
