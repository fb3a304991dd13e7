"""Migrations: once each, whole or not at all, never edited, one runner at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from shared.migrations_runner import LOCK, EditedMigration, migrate
from tests.databases import TestDatabase
from tests.rivals import Later, half_done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "library" / "migrations"
    files.mkdir(parents=True)
    (files / "0001_books.sql").write_text("CREATE TABLE books (id INT)")
    (files / "0002_authors.sql").write_text("CREATE TABLE authors (id INT)")
    return files


def run(store: TestDatabase, folder: Path) -> list[str]:
    connection = psycopg2.connect(store.dsn)
    try:
        return migrate(connection, [folder])
    finally:
        connection.close()


def test_files_are_applied_in_order_and_once(store: TestDatabase, folder: Path) -> None:
    assert run(store, folder) == ["library/0001_books.sql", "library/0002_authors.sql"]
    assert run(store, folder) == []


def test_a_file_that_fails_leaves_nothing_of_itself(store: TestDatabase, folder: Path) -> None:
    (folder / "0003_broken.sql").write_text("CREATE TABLE half (id INT); SELECT 1/0")

    with pytest.raises(psycopg2.Error):
        run(store, folder)

    assert store.one("SELECT to_regclass('half') AS half") == {"half": None}
    assert store.one("SELECT to_regclass('books') IS NOT NULL AS there") == {"there": True}


def test_an_edited_file_is_refused(store: TestDatabase, folder: Path) -> None:
    run(store, folder)
    (folder / "0001_books.sql").write_text("CREATE TABLE books (id BIGINT)")

    with pytest.raises(EditedMigration, match=r"library/0001_books\.sql"):
        run(store, folder)


def test_two_runners_at_once_apply_each_file_once(store: TestDatabase, folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(lambda _: run(store, folder), range(2)))

    assert sorted(name for names in applied for name in names) == [
        "library/0001_books.sql",
        "library/0002_authors.sql",
    ]


def test_whoever_comes_while_another_runs_waits_for_it(store: TestDatabase, folder: Path) -> None:
    with half_done(store, "SELECT pg_advisory_lock(%(lock)s)", lock=LOCK) as first:
        second = Later(lambda: run(store, folder))
        assert second.is_waiting()
        assert store.one("SELECT to_regclass('books') AS books") == {"books": None}
        first.cursor().execute("SELECT pg_advisory_unlock_all()")
        first.commit()
    assert second.result() == ["library/0001_books.sql", "library/0002_authors.sql"]
