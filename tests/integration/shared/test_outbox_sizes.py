"""How large messages may be: as much as a broker takes, alone and in a batch."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shared import outbox
from shared.aws import client
from shared.contracts import MailStatusChanged
from shared.database import Database
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.integration.shared.test_outbox import SUBJECT, event


def weighed(database: Database, message: MailStatusChanged, times: int) -> list[int]:
    """The bytes of each call that publishes a message so many times at once."""
    calls: list[int] = []

    def weigh(params: dict[str, Any], **_: object) -> None:
        calls.append(sum(len(entry["Message"].encode()) for entry in params["PublishBatchRequestEntries"]))

    events = client("sns").meta.events
    events.register("provide-client-params.sns.PublishBatch", weigh)
    try:
        with database.transaction() as sql:
            for _ in range(times):
                outbox.publish(sql, message, subject=uuid4())
    finally:
        events.unregister("provide-client-params.sns.PublishBatch", weigh)
    return calls


def test_large_messages_leave_in_batches_that_a_call_may_carry(database: Database, aws: Cloud) -> None:
    aws.topic("notifications")

    calls = weighed(database, event().model_copy(update={"template": "ü" * 30_000}), 9)

    assert len(calls) == 3
    assert max(calls) < 262_144, "together, and moto does not say so"
    assert len(aws.messages("notifications")) == 9


def test_what_stands_around_messages_counts_with_them(database: Database, aws: Cloud) -> None:
    aws.topic("notifications")
    large = event().model_copy(update={"template": "t" * 62_000})
    payload = len(json.dumps(large.model_dump(mode="json", by_alias=True)))
    assert outbox.BATCH_BYTES - 2_000 < 4 * payload < outbox.BATCH_BYTES, "four would fit but for that"

    calls = weighed(database, large, 4)

    assert max(calls) < outbox.BATCH_BYTES


def test_a_message_is_written_in_few_bytes_and_without_what_sqs_refuses(
    database: Database, aws: Cloud
) -> None:
    aws.queue("mail")
    text = "\U0001f3ad\u2028é\ufffe\uffff\x01"

    with database.transaction() as sql:
        outbox.send(sql, "mail", event().model_copy(update={"template": text}), subject=SUBJECT)

    (envelope,) = aws.messages("mail")
    assert envelope["data"]["template"] == text
    assert outbox.as_json(text) == '"\U0001f3ad\u2028é\\ufffe\\uffff\\u0001"'
    assert outbox.as_json("\ud83c") == r'"\ud83c"', "half a character, which has no bytes"
    assert outbox.size_of(text) == 4 + 3 + 2 + 3 * 6 + 2


def test_a_message_that_no_broker_would_take_fails_its_transaction(
    database: Database, store: TestDatabase, aws: Cloud
) -> None:
    aws.topic("notifications")
    room = (
        outbox.MESSAGE_BYTES
        - outbox.ENVELOPE_BYTES
        - outbox.size_of(event().model_dump(mode="json", by_alias=True))
    )

    with (
        pytest.raises(outbox.TooLarge, match=r"notifications\.mail_status_changed\.v1"),
        database.transaction() as sql,
    ):
        outbox.publish(sql, event().model_copy(update={"template": "ü" * room}), subject=SUBJECT)
    assert store.all("SELECT 1 FROM outbox") == []

    with database.transaction() as sql:
        outbox.publish(sql, event().model_copy(update={"template": "t" * room}), subject=SUBJECT)
    assert len(aws.messages("notifications")) == 1
