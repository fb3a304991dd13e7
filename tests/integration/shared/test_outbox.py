"""The outbox: what commits is published, what rolls back is not, what a crash leaves is swept."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError

from shared import outbox, tracing
from shared.aws import client
from shared.contracts import MailStatusChanged, VerificationRequested
from shared.database import Database, Sql
from shared.log import follow, logger
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.rivals import Later, half_done

SUBJECT = UUID("7b3f5a52-9c6e-4a0e-8a3e-2f6a7c1d0e11")


def event() -> MailStatusChanged:
    return MailStatusChanged(
        notification_id=SUBJECT, user_id=SUBJECT, order_id=None, template="verify-email", status="SENT"
    )


def secret_event() -> VerificationRequested:
    return VerificationRequested(user_id=SUBJECT, email="ada@example.com", first_name="Ada", token="t0ken")


def test_a_committed_message_is_published_and_marked(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")

    with database.transaction() as sql:
        message_id = outbox.publish(sql, event(), subject=SUBJECT, version=7)

    (envelope,) = aws.messages("notifications")
    assert envelope["id"] == str(message_id)
    assert envelope["type"] == "notifications.mail_status_changed.v1"
    assert envelope["source"] == "box-office/notifications"
    assert envelope["subject"] == str(SUBJECT)
    assert envelope["sequence"] == 7
    assert envelope["data"]["notificationId"] == str(SUBJECT)
    row = store.one("SELECT published_at, payload FROM outbox")
    assert row is not None
    assert row["published_at"] is not None
    assert row["payload"] is not None


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def sent(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, list[str | None]]]:
    """X-Ray's header of each call to SQS and SNS, and of each message in it, as it leaves boto3.

    (The emulator drops it.)
    """
    monkeypatch.setenv(
        "AWS_LAMBDA_FUNCTION_NAME", "box-office-dev-test"
    )  # boto3 sends the header from Lambda alone
    monkeypatch.delenv(tracing.VARIABLE, raising=False)
    seen: list[tuple[str | None, list[str | None]]] = []
    messages: list[str | None] = []

    def entries(params: dict[str, Any], **_: Any) -> None:
        of_each = (entry.get("MessageSystemAttributes", {}) for entry in params.get("Entries", []))
        messages[:] = [attributes.get("AWSTraceHeader", {}).get("StringValue") for attributes in of_each]

    def request(request: Any, **_: Any) -> None:
        header = request.headers.get("X-Amzn-Trace-Id")
        seen.append((header.decode() if isinstance(header, bytes) else header, [*messages]))

    for service, call in (("sqs", "SendMessageBatch"), ("sns", "PublishBatch")):
        events = client(service).meta.events
        events.register(f"before-parameter-build.{service}.{call}", entries)
        events.register(f"before-send.{service}.{call}", request)
    return seen


def crashed(store: TestDatabase, sql: Sql) -> None:
    """As if the process died before publishing, and time passed."""
    sql.outbox.clear()
    sql.after_commit(lambda: store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'"))


def test_a_message_says_what_it_belongs_to_also_where_a_sweep_publishes_it_later(
    database: Database, store: TestDatabase, aws: Cloud, sent: list[tuple[str | None, list[str | None]]]
) -> None:
    aws.queue("mail")
    aws.topic("notifications")
    follow(logger("notifications"), "the request that began it")
    with database.transaction() as sql, tracing.going_on(TRACE):
        outbox.send(sql, "mail", event(), subject=SUBJECT)
        outbox.publish(sql, event(), subject=SUBJECT)
        crashed(store, sql)
    follow(logger("notifications"), "the sweep's own")

    assert outbox.sweep(database, limit=10) == 2

    assert sent == [(TRACE, [TRACE]), (TRACE, [])]
    for place in ("mail", "notifications"):
        (envelope,) = aws.messages(place)
        assert envelope["correlationid"] == "the request that began it"
    assert tracing.header() is None


def test_messages_of_different_traces_leave_under_their_own(
    database: Database, store: TestDatabase, aws: Cloud, sent: list[tuple[str | None, list[str | None]]]
) -> None:
    aws.queue("mail")
    with database.transaction() as sql:
        for trace in (TRACE, None, TRACE):
            with tracing.going_on(trace):
                outbox.send(sql, "mail", event(), subject=SUBJECT)
    assert sent == [(TRACE, [TRACE, TRACE]), (None, [None])]


def test_a_rolled_back_message_was_never_there(database: Database, store: TestDatabase, aws: Cloud) -> None:
    aws.topic("notifications")

    with pytest.raises(ZeroDivisionError), database.transaction() as sql:
        outbox.publish(sql, event(), subject=SUBJECT)
        raise ZeroDivisionError

    assert aws.messages("notifications") == []
    assert store.all("SELECT 1 FROM outbox") == []


def test_a_sensitive_payload_is_blanked_once_published(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")

    with database.transaction() as sql:
        outbox.publish(sql, secret_event(), subject=SUBJECT)

    (envelope,) = aws.messages("notifications")
    assert envelope["data"]["token"] == "t0ken"
    assert store.all("SELECT 1 FROM outbox WHERE payload IS NOT NULL") == []


@pytest.fixture
def unpublished(database: Database, store: TestDatabase, aws: Cloud) -> None:
    """A message that was committed while the broker was away, which has come back since."""
    with pytest.MonkeyPatch.context() as away:
        away.setenv("TOPIC_ARN", aws.topic("notifications") + "-gone")
        with database.transaction() as sql:
            outbox.publish(sql, event(), subject=SUBJECT)
    assert len(store.all("SELECT 1 FROM outbox WHERE published_at IS NULL")) == 1


@pytest.mark.usefixtures("unpublished")
def test_a_broker_that_is_down_costs_the_caller_nothing_and_the_sweep_publishes_later(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    assert outbox.sweep(database, limit=10) == 0, "its writer's lease is not over yet"
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")
    assert outbox.sweep(database, limit=10) == 1
    assert len(aws.messages("notifications")) == 1
    assert outbox.sweep(database, limit=10) == 0


@pytest.mark.usefixtures("unpublished")
def test_what_a_sweep_could_not_publish_is_left_to_it_for_a_while(
    database: Database, store: TestDatabase
) -> None:
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")

    with pytest.MonkeyPatch.context() as away:
        away.setenv("TOPIC_ARN", os.environ["TOPIC_ARN"] + "-gone")
        with pytest.raises(ClientError):
            outbox.sweep(database, limit=10)

    assert outbox.sweep(database, limit=10) == 0, "the first sweep may still be at it"
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")
    assert outbox.sweep(database, limit=10) == 1


def test_a_message_of_a_batch_that_the_broker_did_not_accept_is_published_later(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    def refuse_one(parsed: dict[str, Any], **_: object) -> None:
        refused = parsed["Successful"].pop()
        parsed["Failed"] = [{"Id": refused["Id"], "Code": "InternalError", "SenderFault": False}]

    aws.topic("notifications")
    events = client("sns").meta.events
    events.register("after-call.sns.PublishBatch", refuse_one)
    try:
        with database.transaction() as sql:
            for _ in range(3):
                outbox.publish(sql, event(), subject=uuid4())
    finally:
        events.unregister("after-call.sns.PublishBatch", refuse_one)

    assert len(store.all("SELECT 1 FROM outbox WHERE published_at IS NULL")) == 1
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")
    assert outbox.sweep(database, limit=10) == 1


def test_a_destination_that_cannot_be_had_holds_up_no_other(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    with database.transaction() as sql:  # nobody has a topic
        outbox.publish(sql, event(), subject=SUBJECT)
        outbox.send(sql, "mail", event(), subject=SUBJECT)
        sql.outbox.clear()
    aws.queue("mail")
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")

    with pytest.raises(Exception, match=r"TOPIC_ARN|NotFound"):
        outbox.sweep(database, limit=10)

    assert len(aws.messages("mail")) == 1
    left = store.all("SELECT destination FROM outbox WHERE published_at IS NULL")
    assert [row["destination"] for row in left] == ["topic"]


def test_messages_that_cannot_leave_do_not_keep_others_from_leaving(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.queue("mail")
    with database.transaction() as sql:
        for _ in range(3):  # as many as a run takes; there is no topic
            outbox.publish(sql, event(), subject=uuid4())
        outbox.send(sql, "mail", event(), subject=SUBJECT)
        crashed(store, sql)

    for _ in range(2):
        with suppress(Exception):
            outbox.sweep(database, limit=3)
        store.run("UPDATE outbox SET claimed_until = claimed_until - interval '1 minute'")

    assert [envelope["subject"] for envelope in aws.messages("mail")] == [str(SUBJECT)]


def test_a_sweep_reads_no_more_messages_than_it_takes(store: TestDatabase) -> None:
    store.run(
        """
        INSERT INTO outbox (message_id, destination, type, subject, version, sensitive, created_at, claimed_until)
        SELECT gen_random_uuid(), 'topic', 'x', gen_random_uuid(), 1, FALSE, now(), now() - n * interval '1 second'
          FROM generate_series(1, 20000) n
        """
    )
    store.run("ANALYZE outbox")
    plan = store.all(
        """
        EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM outbox
         WHERE published_at IS NULL AND claimed_until < now()
         ORDER BY claimed_until, id LIMIT 10
        """
    )[0]["QUERY PLAN"][0]["Plan"]
    assert plan["Plans"][0]["Index Name"] == "outbox_waiting"
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20


def test_two_sweeps_at_once_share_the_rows(database: Database, store: TestDatabase, aws: Cloud) -> None:
    aws.topic("notifications")
    with database.transaction() as sql:
        for _ in range(30):
            outbox.publish(sql, event(), subject=uuid4())
        sql.outbox.clear()  # as if the process died before publishing
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")
    sweepers = [Database("notifications") for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        published = list(pool.map(lambda d: outbox.sweep(d, limit=30), sweepers))

    assert sum(published) == 30
    assert len({envelope["id"] for envelope in aws.messages("notifications")}) == 30
    for sweeper in sweepers:
        sweeper.reset()


def test_a_sweep_passes_over_what_another_one_is_taking(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")
    with database.transaction() as sql:
        for _ in range(3):
            outbox.publish(sql, event(), subject=uuid4())
        sql.outbox.clear()
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")

    with half_done(store, "SELECT FROM outbox ORDER BY id LIMIT 1 FOR UPDATE"):
        swept = Later(lambda: outbox.sweep(database, limit=10))
        assert swept.result() == 2, "it does not wait"
    assert outbox.sweep(database, limit=10) == 1


def test_a_sweep_takes_no_more_rows_than_its_limit(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")
    with database.transaction() as sql:
        for _ in range(12):
            outbox.publish(sql, event(), subject=uuid4())
        sql.outbox.clear()
    store.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")

    assert outbox.sweep(database, limit=5) == 5


def test_a_command_goes_to_its_queue(database: Database, aws: Cloud) -> None:
    aws.queue("payments-webhooks")

    with database.transaction() as sql:
        outbox.send(sql, "payments-webhooks", event(), subject=SUBJECT)

    assert [envelope["subject"] for envelope in aws.messages("payments-webhooks")] == [str(SUBJECT)]


def test_waking_a_dead_task_is_no_error(database: Database, store: TestDatabase, aws: Cloud) -> None:
    aws.topic("notifications")

    with database.transaction() as sql:
        outbox.wake(sql, "no-such-token", {"outcome": "paid"}, subject=SUBJECT)

    assert store.all("SELECT 1 FROM outbox WHERE published_at IS NULL") == []


def test_how_long_the_oldest_message_has_waited(database: Database, store: TestDatabase, aws: Cloud) -> None:
    aws.topic("notifications")
    assert outbox.oldest_seconds(database) == 0
    with database.transaction() as sql:
        outbox.publish(sql, event(), subject=SUBJECT)
        crashed(store, sql)
    store.run("UPDATE outbox SET created_at = now() - interval '5 minutes'")
    assert 299 < outbox.oldest_seconds(database) < 310
    assert outbox.sweep(database, limit=10) == 1
    assert outbox.oldest_seconds(database) == 0
