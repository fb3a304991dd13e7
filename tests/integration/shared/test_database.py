"""Connections come back by themselves; units of work are whole or nothing."""

import os
import signal
import socket
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.platform import databases
from shared.database import ANSWER_SECONDS, SNAPSHOT_SECONDS, STANDBY_AWAY_SECONDS, Database, Refused
from shared.errors import Unavailable
from tests.databases import TestDatabase
from tests.e2e.client import eventually

KILL_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(autouse=True)
def _table(store: TestDatabase) -> None:
    store.run("CREATE TABLE things (id INT PRIMARY KEY, positive INT CHECK (positive > 0))")
    store.run("GRANT ALL ON things TO PUBLIC")


def test_a_transaction_left_by_an_error_leaves_nothing(database: Database, store: TestDatabase) -> None:
    with pytest.raises(KeyError), database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")
        raise KeyError

    assert store.all("SELECT 1 FROM things") == []


def test_a_connection_the_server_closed_is_replaced_before_a_transaction(
    database: Database, store: TestDatabase
) -> None:
    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")
    store.all(KILL_OTHERS)

    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (2, 1)")

    assert len(store.all("SELECT 1 FROM things")) == 2


def test_a_connection_lost_inside_a_transaction_is_an_honest_503_and_keeps_nothing(
    database: Database, store: TestDatabase
) -> None:
    with pytest.raises(Unavailable), database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")
        store.all(KILL_OTHERS)
        sql.run("INSERT INTO things VALUES (2, 1)")

    assert store.all("SELECT 1 FROM things") == []
    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (3, 1)")
    assert store.all("SELECT id FROM things") == [{"id": 3}]


def test_a_read_is_tried_again_on_a_new_connection(database: Database, store: TestDatabase) -> None:
    with database.reading() as sql:
        sql.one("SELECT 1")
    store.all(KILL_OTHERS)

    with database.reading() as sql:
        assert sql.one("SELECT 2 AS two") == {"two": 2}


def test_a_server_that_only_reads_now_is_left_for_the_one_that_writes(
    database: Database, store: TestDatabase
) -> None:
    with database.transaction() as sql:
        sql.run("SET default_transaction_read_only = on")  # for this connection: it is the old server's

    with pytest.raises(Unavailable), database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")

    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (2, 1)")
    assert store.all("SELECT id FROM things") == [{"id": 2}]


def test_as_long_as_no_server_writes_the_answer_is_an_honest_503(
    database: Database, store: TestDatabase
) -> None:
    store.run(f"ALTER DATABASE {store.name} SET default_transaction_read_only = on")
    for _ in range(3):
        with pytest.raises(Unavailable), database.reading() as sql:
            sql.run("INSERT INTO things VALUES (1, 1)")
        with database.reading() as sql:
            assert sql.one("SELECT 1 AS one") == {"one": 1}


def test_a_transaction_that_stood_still_too_long_is_an_honest_503(
    database: Database, store: TestDatabase
) -> None:
    with pytest.raises(Unavailable), database.transaction() as sql:
        sql.run("SET LOCAL idle_in_transaction_session_timeout = '1ms'")
        mine = sql.one("SELECT pg_backend_pid() AS pid")
        assert mine is not None
        eventually(lambda: not store.all("SELECT 1 FROM pg_stat_activity WHERE pid = %(pid)s", **mine))
        sql.run("INSERT INTO things VALUES (1, 1)")

    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (2, 1)")
    assert store.all("SELECT id FROM things") == [{"id": 2}]


def test_no_server_is_unavailable(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PORT", "9")

    with pytest.raises(Unavailable), database.transaction():
        pass


@contextmanager
def hanging(database: Database) -> Iterator[None]:
    """The server's end of the connection says nothing for as long as this lasts, and does not close it."""
    with database.reading() as sql:
        backend = sql.one("SELECT pg_backend_pid() AS pid")
    assert backend is not None
    os.kill(backend["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend["pid"], signal.SIGCONT)


def test_a_server_that_hangs_is_an_honest_503_once_it_should_have_answered(
    database: Database,
    store: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("shared.database.ANSWER_SECONDS", 0.5)
    with hanging(database):
        began = time.monotonic()
        with pytest.raises(Unavailable), database.reading() as sql:
            sql.one("SELECT 1")
        assert 0.5 <= time.monotonic() - began < 0.9, "and it is not asked a second time"
        assert [getattr(record, "sqlstate", None) for record in caplog.records] == ["silence"]

        with database.transaction() as sql:  # by a connection of its own
            sql.run("INSERT INTO things VALUES (1, 1)")


def test_a_server_that_hangs_in_a_transaction_keeps_nothing_of_it(
    database: Database, store: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.database.ANSWER_SECONDS", 0.5)
    with pytest.raises(Unavailable), database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")
        sql.run("SELECT pg_sleep(1)")

    eventually(lambda: connections(store) == 0)
    assert store.all("SELECT 1 FROM things") == []


def test_a_server_that_takes_a_connection_and_says_nothing_is_unavailable(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.database.CONNECT_TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DATABASE_PORT", str(silent.getsockname()[1]))
        began = time.monotonic()
        with pytest.raises(Unavailable), database.reading() as sql:
            sql.one("SELECT 1")
    assert time.monotonic() - began < 1


def test_a_snapshot_s_statements_may_take_longer(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.database.ANSWER_SECONDS", 0.2)

    with database.snapshot() as sql:
        assert sql.one("SELECT 1 AS one FROM pg_sleep(0.5)") == {"one": 1}

    with pytest.raises(Unavailable), database.reading() as sql:
        sql.one("SELECT pg_sleep(0.5)")


def test_the_server_ends_its_statements_before_it_is_given_up() -> None:
    def seconds(limits: dict[str, str]) -> int:
        return int(limits["statement_timeout"].removesuffix("s"))

    assert seconds(databases._TIME_LIMITS) < ANSWER_SECONDS
    assert seconds(databases._AUDITOR_TIME_LIMITS) < SNAPSHOT_SECONDS


def test_whoever_is_interrupted_leaves_no_statement_half_done(database: Database) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), database.reading() as sql:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            sql.one("SELECT pg_sleep(5)")
    finally:
        signal.signal(signal.SIGALRM, before)

    with database.transaction() as sql:
        assert sql.one("SELECT 1 AS one") == {"one": 1}


def test_what_is_larger_than_any_buffer_goes_both_ways(database: Database) -> None:
    text = "ü" * 8_000_000

    with database.reading() as sql:
        assert sql.one("SELECT %(text)s AS text", text=text) == {"text": text}


def test_a_violated_constraint_names_itself_and_the_connection_stays_good(database: Database) -> None:
    with pytest.raises(Refused) as refusal, database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, -1)")

    assert refusal.value.constraint == "things_positive_check"
    assert not refusal.value.is_duplicate
    with pytest.raises(Refused) as duplicate, database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1), (1, 1)")
    assert duplicate.value.is_duplicate


def test_what_is_logged_of_a_refusal_holds_no_value_of_the_statement(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    id, value = 4711, -4712
    with pytest.raises(Refused) as refusal, database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (%(id)s, %(value)s)", id=id, value=value)
    shown = "".join(traceback.format_exception(refusal.value)) + caplog.text

    assert "CheckViolation 23514 things things_positive_check" in shown
    assert "4711" not in shown
    assert "4712" not in shown


def test_actions_after_commit_run_only_after_a_commit_and_their_failure_is_not_the_callers(
    database: Database,
) -> None:
    done: list[str] = []
    with database.transaction() as sql:
        sql.after_commit(lambda: 1 // 0)
        sql.after_commit(lambda: done.append("after"))
    with pytest.raises(KeyError), database.transaction() as sql:
        sql.after_commit(lambda: done.append("never"))
        raise KeyError

    assert done == ["after"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standby that nobody answers at: the port is the writer's, on an address without a server."""
    monkeypatch.setenv("DATABASE_READER_HOST", "127.0.0.99")


def connections(store: TestDatabase) -> int:
    """How many others are connected."""
    row = store.one(
        """
        SELECT count(*) AS n FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
        """
    )
    assert row is not None
    return int(row["n"])


def test_read_models_are_read_where_the_standbys_are(
    database: Database, store: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_READER_HOST", store.postgres.host)
    store.run("INSERT INTO things VALUES (1, 1)")

    with database.standby() as sql:
        assert sql.all("SELECT id FROM things") == [{"id": 1}]
    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (2, 1)")

    assert connections(store) == 2


def test_without_standbys_read_models_are_read_from_the_writer(
    database: Database, store: TestDatabase
) -> None:
    with database.transaction() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")

    with database.standby() as sql:
        assert sql.all("SELECT id FROM things") == [{"id": 1}]

    assert connections(store) == 1


def test_a_read_model_is_one_state_of_the_database(database: Database, store: TestDatabase) -> None:
    with database.standby() as sql:
        assert sql.all("SELECT id FROM things") == []
        store.run("INSERT INTO things VALUES (1, 1)")
        assert sql.all("SELECT id FROM things") == []


@pytest.mark.parametrize("has_standby", [True, False])
def test_what_reads_a_read_model_writes_nothing(
    database: Database, store: TestDatabase, monkeypatch: pytest.MonkeyPatch, has_standby: bool
) -> None:
    if has_standby:
        monkeypatch.setenv("DATABASE_READER_HOST", store.postgres.host)

    with pytest.raises(Unavailable), database.standby() as sql:
        sql.run("INSERT INTO things VALUES (1, 1)")

    assert store.all("SELECT 1 FROM things") == []


@pytest.mark.usefixtures("nowhere")
def test_the_writer_answers_for_a_standby_that_does_not_and_it_is_told(
    database: Database, store: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    store.run("INSERT INTO things VALUES (1, 1)")

    for _ in range(2):  # the second caller does not wait for it
        with database.standby() as sql:
            assert sql.all("SELECT id FROM things") == [{"id": 1}]

    assert capsys.readouterr().out.count('"StandbyUnavailable": [1]') == 1


@pytest.mark.usefixtures("nowhere")
def test_a_standby_that_was_away_is_asked_again(
    database: Database, store: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("shared.database.time.monotonic", lambda: clock[0])
    with database.standby() as sql:
        sql.all("SELECT 1 AS one")
    monkeypatch.setenv("DATABASE_READER_HOST", store.postgres.host)
    database._standby._reader = None  # type: ignore[union-attr]  # its address is the process's, and never changes

    with database.standby():
        assert connections(store) == 1
    clock[0] += STANDBY_AWAY_SECONDS
    with database.standby():
        assert connections(store) == 2


def test_a_connection_to_a_standby_that_the_server_closed_is_replaced(
    database: Database, store: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_READER_HOST", store.postgres.host)
    with database.standby() as sql:
        sql.all("SELECT 1 AS one")
    store.all(KILL_OTHERS)

    with database.standby() as sql:
        assert sql.one("SELECT 1 AS one") == {"one": 1}
