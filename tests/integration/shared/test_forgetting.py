"""What the job of every service forgets: what no duplicate can ask for any more, and nothing that waits."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from psycopg2.extras import Json

from shared import idempotency, job, retention
from shared.clock import now
from shared.database import Database, Sql
from tests import sweeping
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.refusals import add
from tests.support import context

A_LITTLE = timedelta(minutes=5)
QUEUES_KEEP = timedelta(days=14)


def add_message(db: TestDatabase, days: float, *, published: bool) -> None:
    at = now() - timedelta(days=days)
    message = {
        "destination": "nowhere",
        "type": f"{days} days",
        "subject": uuid4(),
        "version": 1,
        "payload": Json({}),
    }
    taken = {
        "claimed_until": at if published else now() + A_LITTLE,
        "published_at": at if published else None,
    }
    add(db, "outbox", message_id=uuid4(), sensitive=False, created_at=at, **message, **taken)


def swept(database: Database) -> None:
    assert job.sweep_messages(database)({}, context()) == {"handled": 0}


def test_a_message_is_remembered_for_as_long_as_a_queue_may_bring_it_again(
    database: Database, store: TestDatabase
) -> None:
    kept = now() - QUEUES_KEEP - A_LITTLE
    for consumer, at in (
        ("kept", kept),
        ("forgotten", now() - timedelta(days=job.INBOX_DAYS.default) - A_LITTLE),
    ):
        add(store, "inbox", consumer=consumer, message_id=uuid4(), received_at=at)
    swept(database)
    assert store.all("SELECT consumer FROM inbox") == [{"consumer": "kept"}]


def test_a_request_is_remembered_for_its_hours(database: Database, store: TestDatabase) -> None:
    ends = now() - timedelta(hours=idempotency.KEEP_HOURS.default)
    for key, at in (("kept", ends + A_LITTLE), ("forgotten", ends - A_LITTLE)):
        add(store, "idempotency_keys", scope="me POST /", key=key, request_hash="x", created_at=at)
    swept(database)
    assert store.all("SELECT key FROM idempotency_keys") == [{"key": "kept"}]


def test_what_was_not_published_is_kept_however_old_it_is(database: Database, store: TestDatabase) -> None:
    add_message(store, 29, published=True)
    add_message(store, 31, published=True)
    add_message(store, 365, published=False)
    swept(database)
    assert {row["type"] for row in store.all("SELECT type FROM outbox")} == {"29 days", "365 days"}


def test_a_message_that_cannot_leave_fails_the_job_once_all_else_is_done(
    database: Database, store: TestDatabase, aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    add_message(store, 0.25, published=False)
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second', destination = 'queue:no-such'")
    add(store, "inbox", consumer="forgotten", message_id=uuid4(), received_at=now() - timedelta(days=100))

    with pytest.raises(KeyError, match="QUEUE_NO_SUCH_URL"):
        job.sweep_messages(database)({}, context())

    assert store.all("SELECT 1 FROM inbox") == []
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    (age,) = [line["OldestMessageSeconds"][0] for line in lines if "OldestMessageSeconds" in line]
    assert age == pytest.approx(6 * 3600, abs=60), "what an alarm waits for"


def test_one_run_forgets_a_limited_number_and_two_at_once_different_rows(
    database: Database, store: TestDatabase
) -> None:
    for _ in range(3):
        add(store, "inbox", consumer="old", message_id=uuid4(), received_at=now() - A_LITTLE)

    def forget(sql: Sql, limit: int) -> int:
        return retention.forget(sql, "inbox", "received_at", now(), limit)

    assert sweeping.runs(database, forget, limit=2) == (2, 1, 0)
