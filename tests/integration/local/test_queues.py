"""Queues on a laptop lose nothing and repeat what failed, as SQS and Lambda do."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from local.cloud import Cloud
from local.faults import Fault, Faults
from local.lambdas import Answer, LambdaHost
from local.permissions.grants import OPERATOR
from local.ports import free_port
from local.queues import QueueConsumers, fault_target, succeeded
from local.resources import ACCOUNT, EventSource
from tests.small_cloud import emulator, function, hosted, run

MESSAGES = [{"MessageId": "a"}, {"MessageId": "b"}]
LAMBDA_PORT = free_port()
CONSUMER = """
    import json
    def handler(event, context):
        records = event["Records"]
        with open(%r, "a") as file:
            for record in records:
                file.write(json.dumps(record) + "\\n")
        failed = [record["messageId"] for record in records if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
"""


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (Answer(b"{}"), ["a", "b"]),
        (Answer(b"null"), ["a", "b"]),
        (Answer(b""), ["a", "b"]),
        (Answer(b'{"batchItemFailures": []}'), ["a", "b"]),
        (Answer(b'{"batchItemFailures": null}'), ["a", "b"]),
        (Answer(b'{"batchItemFailures": [{"itemIdentifier": "a"}]}'), ["b"]),
        (Answer(b'{"batchItemFailures": [{"itemIdentifier": "c"}]}'), []),
        (Answer(b'{"batchItemFailures": [{"itemIdentifier": ""}]}'), []),
        (Answer(b'{"batchItemFailures": [{"itemIdentifier": null}]}'), []),
        (Answer(b'{"batchItemFailures": [{"id": "a"}]}'), []),
        (Answer(b'{"batchItemFailures": "a"}'), []),
        (Answer(b'"text"'), []),
        (Answer(b"no json"), []),
        (Answer(b"{}", "Unhandled"), []),
    ],
)
def test_what_the_answer_does_not_name_has_succeeded(answer: Answer, done: list[str]) -> None:
    assert [message["MessageId"] for message in succeeded(MESSAGES, answer, partial=True)] == done


def test_without_partial_failures_the_answer_does_not_count() -> None:
    answer = Answer(b'{"batchItemFailures": [{"itemIdentifier": "a"}]}')
    assert len(succeeded(MESSAGES, answer, partial=False)) == 2


@pytest.fixture(scope="module")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator(tmp_path_factory.mktemp("aws"), LAMBDA_PORT) as url:
        yield url


def test_failed_messages_come_again_and_end_in_the_dead_letter_queue(tmp_path: Path, aws_url: str) -> None:
    async def scenario() -> None:
        async with consuming(tmp_path, aws_url, "redrive", receives=2) as (cloud, url):
            for body in ("good", "bad", "good"):
                await cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})
            dead = f"{url}-dead"
            message = await eventually(cloud, dead)
            assert message["Body"] == "bad"
            seen = records(tmp_path)
            assert sorted(record["body"] for record in seen) == ["bad", "bad", "good", "good"]
            assert await waiting(cloud, url) == 0

    run(scenario())


def test_a_consumer_gets_the_event_that_lambda_sends(tmp_path: Path, aws_url: str) -> None:
    async def scenario() -> None:
        async with consuming(tmp_path, aws_url, "event") as (cloud, url):
            attribute = {"type": {"DataType": "String", "StringValue": "a.v1"}}
            sent = {"QueueUrl": url, "MessageBody": "good", "MessageAttributes": attribute}
            id_ = (await cloud.call("sqs", "SendMessage", sent))["MessageId"]
            for _ in range(100):
                await asyncio.sleep(0.05)
                if found := records(tmp_path):
                    break
        (record,) = found
        assert record["messageId"] == id_
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"].endswith(":event")
        assert record["attributes"]["ApproximateReceiveCount"] == "1"
        assert record["messageAttributes"]["type"]["stringValue"] == "a.v1"

    run(scenario())


def test_nothing_sent_while_others_are_deleted_is_lost(tmp_path: Path, aws_url: str) -> None:
    async def scenario() -> None:
        async with consuming(tmp_path, aws_url, "busy") as (cloud, url):

            async def send(count: int) -> None:
                for _ in range(count):
                    await cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": "good"})

            await asyncio.gather(*(send(25) for _ in range(8)))
            for _ in range(200):
                if len(records(tmp_path)) >= 200:
                    break
                await asyncio.sleep(0.05)
        assert len({record["messageId"] for record in records(tmp_path)}) == 200

    run(scenario())


def test_time_outs_of_messages_can_be_over_at_once_but_not_of_those_that_a_consumer_holds(
    tmp_path: Path, aws_url: str
) -> None:
    async def scenario() -> None:
        cloud, host = Cloud(aws_url), _Holding()
        created = {"QueueName": "release", "Attributes": {"VisibilityTimeout": "600"}}
        url = (await cloud.call("sqs", "CreateQueue", created))["QueueUrl"]
        source = EventSource("release", f"arn:aws:sqs:us-east-1:{ACCOUNT}:release", "f", 1, 0.0, True, 1)
        consumers = QueueConsumers([source], host, aws_url)  # type: ignore[arg-type]  # all that it needs of a host
        await cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": "a"})
        await consumers.start()
        try:
            await asyncio.wait_for(host.called.acquire(), 30)
            await consumers.release()  # what other tests left in their queues
            assert await consumers.release() == 0, "it is held"
            host.answer.set_result(Answer(b"{}", "Unhandled"))
            while await consumers.release() == 0:
                await asyncio.sleep(0.05)
            await asyncio.wait_for(host.called.acquire(), 5)
        finally:
            await consumers.stop()
            await cloud.close()

    run(scenario())


@pytest.mark.parametrize(("mode", "times"), [("duplicate", 2), ("slow", 1)])
def test_deliveries_may_be_ordered_to_come_twice_or_late_and_the_other_way_round(
    tmp_path: Path, aws_url: str, mode: str, times: int
) -> None:
    async def scenario() -> None:
        name = f"unruly-{mode}"
        faults = [Fault(fault_target(name), mode)]
        async with consuming(
            tmp_path, aws_url, name, hidden_seconds=60, faults=faults, first=["one", "two"]
        ) as (cloud, url):
            for _ in range(200):
                if len(records(tmp_path)) == 2 * times and await waiting(cloud, url) == 0:
                    break
                await asyncio.sleep(0.05)
        bodies = [record["body"] for record in records(tmp_path)]
        assert bodies == (["two", "one"] if mode == "slow" else ["one", "two"] * 2)

    run(scenario())


def test_a_message_that_its_consumer_put_off_is_not_hastened(aws_url: str) -> None:
    async def scenario() -> None:
        cloud = Cloud(aws_url)
        consumers = QueueConsumers([], _Holding(), aws_url)  # type: ignore[arg-type]  # nothing is consumed
        created = {"QueueName": "put-off", "Attributes": {"VisibilityTimeout": "600"}}
        url = (await cloud.call("sqs", "CreateQueue", created))["QueueUrl"]
        for body in ("dies", "is put off"):
            await cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})
        query = {"QueueUrl": url, "MaxNumberOfMessages": 10}
        first = (await cloud.call("sqs", "ReceiveMessage", query))["Messages"]
        put_off = next(message["ReceiptHandle"] for message in first if message["Body"] == "is put off")
        wanted = {"QueueUrl": url, "ReceiptHandle": put_off, "VisibilityTimeout": 300}
        await cloud.call("sqs", "ChangeMessageVisibility", wanted)
        await consumers.release(put_off=False)
        again = (await cloud.call("sqs", "ReceiveMessage", query))["Messages"]
        assert [message["Body"] for message in again] == ["dies"]
        await consumers.stop()
        await cloud.close()

    run(scenario())


class _Holding:
    """A host whose function holds its first message until it is told to answer, and the next ones for ever."""

    def __init__(self) -> None:
        self.called, self.faults = asyncio.Semaphore(0), Faults()
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def key_of(self, name: str) -> str:
        """The operator's: nobody's rights are looked at here."""
        return OPERATOR

    async def invoke(self, name: str, payload: bytes) -> Answer:
        """Wait, then answer once."""
        self.called.release()
        if self.answer.done():
            await asyncio.sleep(3600)
        return await self.answer


def records(folder: Path) -> list[dict[str, Any]]:
    path = folder / "seen"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def waiting(cloud: Cloud, url: str) -> int:
    query = {"QueueUrl": url, "AttributeNames": ["All"]}
    found = (await cloud.call("sqs", "GetQueueAttributes", query))["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


async def eventually(cloud: Cloud, url: str) -> dict[str, Any]:
    answer = await cloud.call("sqs", "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
    message: dict[str, Any] = answer["Messages"][0]
    return message


@asynccontextmanager
async def consuming(
    state: Path,
    aws_url: str,
    name: str,
    receives: int = 5,
    hidden_seconds: int = 1,
    faults: Sequence[Fault] = (),
    first: Sequence[str] = (),
) -> AsyncIterator[tuple[Cloud, str]]:
    """A queue with a dead-letter queue, and the function that consumes it; `first` wait there when it begins."""
    cloud, arn = Cloud(aws_url), f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    await cloud.call("sqs", "CreateQueue", {"QueueName": f"{name}-dead"})
    redrive = json.dumps({"deadLetterTargetArn": f"{arn}-dead", "maxReceiveCount": receives})
    attributes = {"VisibilityTimeout": str(hidden_seconds), "RedrivePolicy": redrive}
    created = await cloud.call("sqs", "CreateQueue", {"QueueName": name, "Attributes": attributes})
    for body in first:
        await cloud.call("sqs", "SendMessage", {"QueueUrl": created["QueueUrl"], "MessageBody": body})
    source = EventSource(name, arn, "consumer", 10, 0.0, True, None)
    consumer = function(state, "consumer", CONSUMER % str(state / "seen"))
    async with hosted(state, [consumer], aws_url=aws_url) as host:
        host.faults.add(faults)
        consumers = _consumers(source, host, aws_url)
        await consumers.start()
        try:
            yield cloud, created["QueueUrl"]
        finally:
            await consumers.stop()
            await cloud.close()


def _consumers(source: EventSource, host: LambdaHost, aws_url: str) -> QueueConsumers:
    return QueueConsumers([source], host, aws_url)
