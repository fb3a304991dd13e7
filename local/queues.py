"""SQS event source mappings: what polls a queue, invokes its function and deletes what succeeded.

Failed messages stay until their visibility timeout ends (which the function may have changed), then come again; the
queue's redrive policy moves them to the dead-letter queue. moto's own mapping deletes failed messages.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiohttp

from local.cloud import Cloud, CloudError
from local.faults import SLOW_SECONDS
from local.lambdas import Answer, LambdaHost, TooManyRequests
from local.resources import ACCOUNT, REGION, EventSource

POLL_SECONDS = 20
"""SQS's longest poll: an idle queue costs a request every 20 s."""
CONCURRENCY = 2
"""Batches of one queue under way at once, unless the mapping allows fewer. Lambda begins with five."""
_RECEIVE_LIMIT = 10

Message = Mapping[str, Any]


class QueueConsumers:
    """The pollers of all event source mappings, calling `host` with what the emulator at `aws_url` holds."""

    def __init__(self, sources: Iterable[EventSource], host: LambdaHost, aws_url: str) -> None:
        self._sources = list(sources)
        self._host = host
        self._aws_url = aws_url
        self._cloud = Cloud(aws_url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[str] = set()

    async def start(self) -> None:
        """Begin to poll every queue."""
        for source in self._sources:
            self._spawn(
                _Poller(
                    source, self._host, self._cloud, f"{self._aws_url}/{ACCOUNT}/{source.queue}", self._held
                ).run()
            )

    async def release(self, *, put_off: bool = True) -> int:
        """Make every message visible at once that is in flight, or delayed, and that no consumer holds any more.

        It is what the end of its visibility time-out would do; how many there were. Without `put_off`, those are left
        alone that their consumer put off.
        """
        return int(await self._cloud.release_messages(sorted(self._held), put_off=put_off))

    async def stop(self) -> None:
        """Stop polling; batches under way are given up and come again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._cloud.close()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(_tell)


class _Poller:
    def __init__(self, source: EventSource, host: LambdaHost, cloud: Cloud, url: str, held: set[str]) -> None:
        self._source = source
        self._host = host
        self._cloud = cloud
        self._url = url
        self._held = held
        self._slots = asyncio.Semaphore(min(source.concurrency or CONCURRENCY, CONCURRENCY))

    async def run(self) -> None:
        """Poll until cancelled."""
        async with asyncio.TaskGroup() as batches:
            while True:
                await self._slots.acquire()
                try:
                    messages = await self._batch()
                except (CloudError, aiohttp.ClientError, TimeoutError) as error:
                    print(f"queue {self._source.queue}: {error}", flush=True)
                    messages = []
                    await asyncio.sleep(1)
                if messages:
                    batches.create_task(self._handle(messages))
                else:
                    self._slots.release()

    async def _batch(self) -> list[Message]:
        """The next messages: those that are there, or those of the batching window; maybe none."""
        messages = await self._receive(self._source.batch_size, POLL_SECONDS)
        deadline = time.monotonic() + self._source.window
        while messages and len(messages) < self._source.batch_size and time.monotonic() < deadline:
            wait = max(1, round(deadline - time.monotonic()))
            messages += await self._receive(self._source.batch_size - len(messages), wait)
        return messages

    async def _receive(self, count: int, wait: int) -> list[Message]:
        query = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": min(count, _RECEIVE_LIMIT),
            "WaitTimeSeconds": wait,
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        answer = await self._call("ReceiveMessage", query, timeout=wait + 30)
        messages = list(answer.get("Messages", ()))
        self._held.update(message["MessageId"] for message in messages)
        return messages

    async def _handle(self, messages: Sequence[Message]) -> None:
        try:
            fault = self._host.faults.take(fault_target(self._source.queue))
            if fault == "slow":
                await asyncio.sleep(SLOW_SECONDS)
                messages = messages[::-1]
            event = {"Records": [_record(message, self._source.queue_arn) for message in messages]}
            answer = await self._invoke(json.dumps(event).encode())
            done = succeeded(messages, answer, partial=self._source.partial_failures)
            finish = self._show_again if fault == "duplicate" else self._delete
            for start in range(0, len(done), _RECEIVE_LIMIT):
                await finish(done[start : start + _RECEIVE_LIMIT])
        except (CloudError, aiohttp.ClientError, TimeoutError) as error:
            print(f"queue {self._source.queue}: {error}", flush=True)
        finally:
            self._held.difference_update(message["MessageId"] for message in messages)
            self._slots.release()

    async def _invoke(self, payload: bytes) -> Answer:
        while True:
            try:
                return await self._host.invoke(self._source.function, payload)
            except TooManyRequests:
                await asyncio.sleep(0.5)

    async def _delete(self, messages: Sequence[Message]) -> None:
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
        await self._call("DeleteMessageBatch", {"QueueUrl": self._url, "Entries": entries})

    async def _show_again(self, messages: Sequence[Message]) -> None:
        entries = [
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0}
            for i, m in enumerate(messages)
        ]
        query = {"QueueUrl": self._url, "Entries": entries}
        await self._call("ChangeMessageVisibilityBatch", query)

    async def _call(self, action: str, query: Mapping[str, Any], timeout: float = 60) -> Any:
        """Ask SQS by the rights of the function's role, as an event source mapping does."""
        return await self._cloud.call("sqs", action, query, timeout, self._host.key_of(self._source.function))


def _tell(poller: asyncio.Task[None]) -> None:
    """Show why a poller has ended that nobody stopped: nothing else would, and its queue is not read any more."""
    error = None if poller.cancelled() else poller.exception()
    if error is not None:
        traceback.print_exception(error)


def fault_target(queue: str) -> str:
    """The name under which faults of this queue's deliveries are ordered, which no function's name ends in.

    `duplicate`: a batch that was handled comes again, as it may from a standard queue. `slow`: it comes late, after
    those that followed it, and the other way round in itself.
    """
    return f"{queue}-queue"


def succeeded(messages: Sequence[Message], answer: Answer, *, partial: bool) -> list[Message]:
    """The messages that the function has dealt with, by Lambda's rules.

    An error fails the whole batch. With partial failures reported, those named fail; an answer that is not understood
    or names a message that is not in the batch fails the whole batch.
    """
    if answer.error is not None:
        return []
    if not partial:
        return list(messages)
    try:
        value = json.loads(answer.payload or b"null")
        failures = (value or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    if not failed <= {message["MessageId"] for message in messages}:
        return []
    return [message for message in messages if message["MessageId"] not in failed]


def _record(message: Message, arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody"),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    }


def _attribute(value: Message) -> dict[str, Any]:
    attribute: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    for name, key in (("StringValue", "stringValue"), ("BinaryValue", "binaryValue")):
        if name in value:
            attribute[key] = value[name]
    return attribute
