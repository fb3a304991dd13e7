"""Consumers: each message once, failures one by one, unknown types passed over."""

from uuid import uuid4

import pytest

from shared.clock import iso, now
from shared.consumer import Consumer, Message
from shared.contracts import AttemptRequested, RefundRequested
from shared.database import Database, Sql
from tests.cloud import Cloud
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


def test_data_that_breaks_the_contract_is_handed_back(consumer: Consumer, aws: Cloud) -> None:
    broken = envelope(orderId="not-a-uuid")

    assert deliver(consumer, aws, broken) == [broken["id"]]
