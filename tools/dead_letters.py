"""Messages that failed five times: look at them, put them back on their queue, or throw them away.

`python -m tools.dead_letters --stage dev list`
`python -m tools.dead_letters --stage dev show|redrive|discard mail [--type …] [--limit …]`

What is printed is no personal data: a message's type and ids, its age, how often it was received. Its content stays in
the queue. With `--laptop .state` it works on the laptop's queues (see `make dead-letters`).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

SUFFIX = "-dead-letters"
HIDDEN_SECONDS = 30
"""For so long nobody else sees a message that is being looked at."""


class NoSuchQueue(Exception):
    """There is no queue of this name in the stage."""


@dataclass(frozen=True)
class Dead:
    """A dead letter, without its content."""

    id: str
    type: str
    subject: str
    age_seconds: int
    receives: int
    body: str
    receipt: str

    def line(self) -> str:
        """As it is shown."""
        return f"{self.id}  {self.type}  {self.subject}  {self.age_seconds} s old, received {self.receives} times"


class DeadLetters:
    """The dead-letter queues of one stage."""

    def __init__(self, sqs: Any, stage: str) -> None:
        self._sqs, self._prefix = sqs, f"box-office-{stage}-"

    def counts(self) -> dict[str, int]:
        """How many each queue has, by the queue's name without the stage."""
        found = {}
        for page in self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix):
            for url in page.get("QueueUrls", []):
                name = url.rsplit("/", 1)[1]
                if name.endswith(SUFFIX):
                    answer = self._sqs.get_queue_attributes(
                        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                    )
                    count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
                    found[name.removeprefix(self._prefix).removesuffix(SUFFIX)] = count
        return dict(sorted(found.items()))

    def show(self, queue: str, type: str | None, limit: int) -> list[Dead]:
        """The oldest ones; they are there again at once."""
        seen = list(self._receive(queue, type, limit))
        self._give_back(queue, seen)
        return seen

    def redrive(self, queue: str, type: str | None, limit: int) -> int:
        """Put them back on their queue, each before it leaves the dead letters: rather twice than never."""
        target, moved = self._url(queue), 0
        for letter in self._receive(queue, type, limit):
            self._sqs.send_message(QueueUrl=target, MessageBody=letter.body)
            self._delete(queue, letter)
            moved += 1
        return moved

    def discard(self, queue: str, type: str | None, limit: int) -> int:
        """Throw them away."""
        thrown = 0
        for letter in self._receive(queue, type, limit):
            self._delete(queue, letter)
            thrown += 1
        return thrown

    def _receive(self, queue: str, type: str | None, limit: int) -> Iterator[Dead]:
        url, seen, others = self._url(queue + SUFFIX), 0, []
        while seen < limit:
            messages = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(10, limit - seen),
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                letter = _read(message)
                if type is None or letter.type == type:
                    seen += 1
                    yield letter
                else:
                    others.append(letter)
        self._give_back(queue, others)

    def _give_back(self, queue: str, letters: Sequence[Dead]) -> None:
        url = self._url(queue + SUFFIX)
        for letter in letters:
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    def _delete(self, queue: str, letter: Dead) -> None:
        self._sqs.delete_message(QueueUrl=self._url(queue + SUFFIX), ReceiptHandle=letter.receipt)

    def _url(self, queue: str) -> str:
        try:
            return str(self._sqs.get_queue_url(QueueName=self._prefix + queue)["QueueUrl"])
        except self._sqs.exceptions.QueueDoesNotExist as missing:
            raise NoSuchQueue(queue.removesuffix(SUFFIX)) from missing


def _read(message: dict[str, Any]) -> Dead:
    try:
        envelope = json.loads(message["Body"])
    except ValueError:
        envelope = None
    named = envelope if isinstance(envelope, dict) else {}
    attributes = message["Attributes"]
    return Dead(
        id=str(named.get("id") or message["MessageId"]),
        type=str(named.get("type") or named.get("eventType") or "unknown"),
        subject=str(named.get("subject") or "-"),
        age_seconds=max(0, int(time.time() - int(attributes["SentTimestamp"]) / 1000)),
        receives=int(attributes["ApproximateReceiveCount"]),
        body=message["Body"],
        receipt=message["ReceiptHandle"],
    )


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    options = _options(words)
    try:
        _do(DeadLetters(_sqs(options), options.stage), options)
    except NoSuchQueue as missing:
        print(f"There is no queue {missing}. `list` names those there are.", file=sys.stderr)
        return 2
    return 0


def _sqs(options: argparse.Namespace) -> Any:
    if options.laptop is None:
        return boto3.client("sqs", region_name=options.region)
    port = json.loads((options.laptop / "ports.json").read_text())["aws"]
    return boto3.client(
        "sqs",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=options.region or "us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # the emulation asks for one and looks at none
    )


def _do(letters: DeadLetters, options: argparse.Namespace) -> None:
    if options.command == "list":
        for queue, count in letters.counts().items():
            print(f"{count:6}  {queue}")
    elif options.command == "show":
        for letter in letters.show(options.queue, options.type, options.limit):
            print(letter.line())
    elif options.command == "redrive":
        print(f"{letters.redrive(options.queue, options.type, options.limit)} put back on {options.queue}")
    else:
        print(f"{letters.discard(options.queue, options.type, options.limit)} thrown away")


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.dead_letters", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--stage", default="dev")
    parser.add_argument(
        "--laptop", type=Path, help="the state folder of a laptop cloud; by default AWS is asked"
    )
    parser.add_argument("--region")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="how many each queue has")
    for name, help in (
        ("show", "their types, ids and ages"),
        ("redrive", "put them back on their queue"),
        ("discard", "throw them away"),
    ):
        command = commands.add_parser(name, help=help)
        command.add_argument("queue", help="as `list` names it, e.g. mail")
        command.add_argument("--type", help="only messages of this type")
        command.add_argument("--limit", type=int, default=100, help="at most so many (100)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
