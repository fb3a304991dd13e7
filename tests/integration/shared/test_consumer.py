"""Consumers: each message once, failures one by one, unknown types passed over."""

import json
import time
from uuid import uuid4

import boto3
import pytest
from moto.sqs.models import sqs_backends

from shared.clock import iso, now
from shared.consumer import Consumer, Message
from shared.contracts import AttemptRequested, RefundRequested
from shared.database import Database, Sql
from shared.errors import Unavailable
from tests.cloud import ACCOUNT, Cloud
from tests.databases import TestDatabase

Envelope = dict[str, object]


def envelope(type_: str = AttemptRequested.TYPE, **data: str) -> Envelope:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "box-office/payments",
        "type": type_,
        "subject": str(uuid4()),
        "sequence": 3,
        "time": iso(now()),
        "datacontenttype": "application/json",
        "data": data or {"orderId": str(uuid4()), "attemptId": str(uuid4()), "unknown": "field"},
    }


@pytest.fixture
def handled() -> list[Message[AttemptRequested]]:
    return []


@pytest.fixture
def consumer(database: Database, store: TestDatabase, handled: list[Message[AttemptRequested]]) -> Consumer:
    store.run("CREATE TABLE effects (id UUID)")
    store.run("GRANT ALL ON effects TO PUBLIC")
    consumer = Consumer(database, "payments-attempts")

    @consumer.on(AttemptRequested)
    def attempt(message: Message[AttemptRequested], sql: Sql) -> None:
        sql.run("INSERT INTO effects VALUES (%(id)s)", id=message.id)
        if message.version == 13:
            raise RuntimeError("unlucky")
        if message.version == 14:
            raise Unavailable("elsewhere", retry_after=30)
        if message.version == 15:
            raise Unavailable("database")
        handled.append(message)

    return consumer


def deliver(consumer: Consumer, aws: Cloud, *envelopes: Envelope, receive_count: int = 1) -> list[str]:
    records = [aws.record("payments-attempts", e, receive_count) for e in envelopes]
    answer = consumer.handler({"Records": records}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_message_is_handled_with_what_its_envelope_says(
    consumer: Consumer, aws: Cloud, handled: list[Message[AttemptRequested]]
) -> None:
    sent = envelope()

    assert deliver(consumer, aws, sent) == []

    (message,) = handled
    assert str(message.id) == sent["id"]
    assert str(message.subject) == sent["subject"]
    assert message.version == 3


def test_a_duplicate_is_dropped(
    consumer: Consumer, aws: Cloud, handled: list[Message[AttemptRequested]], store: TestDatabase
) -> None:
    sent = envelope()

    assert deliver(consumer, aws, sent, sent) == []
    assert deliver(consumer, aws, sent) == []

    assert len(handled) == 1
    assert len(store.all("SELECT 1 FROM effects")) == 1


def test_without_the_inbox_a_duplicate_would_be_handled_twice(
    consumer: Consumer, aws: Cloud, handled: list[Message[AttemptRequested]], store: TestDatabase
) -> None:
    """The negative control of the test above."""
    sent = envelope()
    deliver(consumer, aws, sent)

    store.run("DELETE FROM inbox")
    deliver(consumer, aws, sent)

    assert len(handled) == 2


def test_a_failure_hands_back_one_message_and_leaves_nothing_of_it(
    consumer: Consumer, aws: Cloud, handled: list[Message[AttemptRequested]], store: TestDatabase
) -> None:
    good, bad = envelope(), envelope() | {"sequence": 13}

    assert deliver(consumer, aws, bad, good) == [bad["id"]]

    assert len(handled) == 1
    assert store.all("SELECT id FROM effects") == [{"id": handled[0].id}]
    assert store.one("SELECT 1 FROM inbox WHERE message_id = %(id)s", id=bad["id"]) is None


def test_a_batch_that_fails_whole_is_handed_back_whole(consumer: Consumer, aws: Cloud) -> None:
    bad = [envelope() | {"sequence": 13} for _ in range(3)]

    assert sorted(deliver(consumer, aws, *bad)) == sorted(str(e["id"]) for e in bad)


def test_a_type_nobody_asked_for_is_passed_over(
    consumer: Consumer, aws: Cloud, handled: list[Message[AttemptRequested]]
) -> None:
    assert deliver(consumer, aws, envelope(RefundRequested.TYPE, refundId=str(uuid4()))) == []
    assert handled == []


def test_what_is_no_json_is_handed_back(consumer: Consumer, aws: Cloud) -> None:
    record = aws.record("payments-attempts", envelope()) | {"body": "hello"}
    answer = consumer.handler({"Records": [record]}, None)
    assert len(answer["batchItemFailures"]) == 1


def test_data_that_breaks_the_contract_is_handed_back(consumer: Consumer, aws: Cloud) -> None:
    broken = envelope(orderId="not-a-uuid")

    assert deliver(consumer, aws, broken) == [broken["id"]]


@pytest.mark.parametrize(
    ("version", "receive_count", "seconds"),
    [
        *((13, 1, 1), (13, 2, 2), (13, 3, 4), (13, 4, 8), (13, 5, 8)),
        *((14, 1, 30), (14, 4, 45)),
        *((15, 1, 1), (15, 2, 2), (15, 3, 15), (15, 4, 45)),
    ],
)
def test_what_failed_comes_back_after_1_2_4_and_8_seconds_or_when_an_outage_may_be_over(
    consumer: Consumer, aws: Cloud, version: int, receive_count: int, seconds: int
) -> None:
    sqs, url = boto3.client("sqs"), aws.queue("payments-attempts")
    sent = envelope() | {"sequence": version}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(sent))
    (received,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    record = aws.record("payments-attempts", sent, receive_count)

    before = time.time()
    consumer.handler({"Records": [record | {"receiptHandle": received["ReceiptHandle"]}]}, None)
    after = time.time()

    (message,) = sqs_backends[ACCOUNT]["us-east-1"].get_queue("box-office-dev-payments-attempts")._messages
    assert before - 0.01 <= message.visible_at / 1000 - seconds <= after + 0.01
