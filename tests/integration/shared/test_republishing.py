"""Telling again what was published before: all of it, however much, in as many runs as it takes."""

from typing import Any
from uuid import uuid4

import pytest

from shared import job, outbox, republishing
from shared.database import Database
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.integration.shared.test_outbox import SUBJECT, event, secret_event
from tests.support import context

RECENT = {"republishSeconds": 600}


def told(database: Database, asked: dict[str, Any] = RECENT) -> dict[str, Any]:
    answer: dict[str, Any] = job.sweep_messages(database)(asked, context())
    return answer


def published(database: Database, store: TestDatabase, many: int) -> list[str]:
    """The ids of so many messages that left a minute ago, and that their reader has lost."""
    with database.transaction() as sql:
        ids = [str(outbox.publish(sql, event(), subject=uuid4())) for _ in range(many)]
        sql.outbox.clear()
    store.run(
        "UPDATE outbox SET created_at = now() - interval '1 minute', published_at = now() - interval '59 seconds'"
    )
    return ids


def test_recent_messages_are_told_again_with_the_ids_that_they_had(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")
    with database.transaction() as sql:
        outbox.publish(sql, event(), subject=SUBJECT)
        outbox.publish(sql, secret_event(), subject=SUBJECT)
    assert len(aws.messages("notifications")) == 2

    assert told(database) == {"handled": 1, "failed": 0}, "the blanked one cannot be"

    ids = [envelope["id"] for envelope in aws.messages("notifications")]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    store.run("UPDATE outbox SET created_at = now() - interval '11 minutes'")
    assert told(database) == {"handled": 0, "failed": 0}


def test_all_of_them_are_told_again_however_many_there_are(
    database: Database, store: TestDatabase, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.topic("notifications")
    ids = published(database, store, 12)
    monkeypatch.setattr(republishing, "PAGE", 5)

    assert told(database) == {"handled": 12, "failed": 0}

    assert sorted(envelope["id"] for envelope in aws.messages("notifications")) == sorted(ids)


def test_what_one_run_has_no_time_for_is_left_to_the_next_which_it_names(
    database: Database, store: TestDatabase, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.topic("notifications")
    ids = published(database, store, 12)
    monkeypatch.setattr(republishing, "PAGE", 5)
    monkeypatch.setattr(republishing, "SECONDS", 0)  # of a run: a page is begun, and no other

    answers = [told(database)]
    while "next" in answers[-1]:
        published(database, store, 1)  # what is written meanwhile does not keep it from ending
        answers.append(told(database, answers[-1]["next"]))

    assert [answer["handled"] for answer in answers] == [5, 5, 2]
    assert sorted(envelope["id"] for envelope in aws.messages("notifications")) == sorted(ids)


def test_what_does_not_leave_is_counted_and_holds_up_no_other(
    database: Database, store: TestDatabase, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.topic("notifications")
    ids = published(database, store, 6)
    store.run(
        "UPDATE outbox SET destination = 'queue:no-such' WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT 2)"
    )
    monkeypatch.setattr(republishing, "PAGE", 3)

    assert told(database) == {"handled": 4, "failed": 2}

    assert sorted(envelope["id"] for envelope in aws.messages("notifications")) == sorted(ids[2:])


def test_what_has_not_left_yet_is_the_sweep_s(database: Database, store: TestDatabase, aws: Cloud) -> None:
    aws.topic("notifications")
    published(database, store, 1)
    store.run("UPDATE outbox SET published_at = NULL, claimed_until = now() - interval '1 second'")

    assert told(database) == {"handled": 0, "failed": 0}
    assert told(database, {}) == {"handled": 1}
