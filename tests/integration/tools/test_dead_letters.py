"""Dead letters are looked at, put back and thrown away, and nothing personal is printed."""

import json
from typing import Any

import boto3
import pytest

from tests.cloud import Cloud
from tools import dead_letters


@pytest.fixture
def sqs(aws: Cloud) -> Any:
    """A queue with three dead letters of two types."""
    client = boto3.client("sqs")
    for name in ("mail", "mail-dead-letters", "payments-refunds", "payments-refunds-dead-letters"):
        client.create_queue(QueueName=f"box-office-dev-{name}")
    url = _url(client, "mail-dead-letters")
    for number, type in enumerate(("a.v1", "b.v1", "a.v1")):
        body = {"id": f"id-{number}", "type": type, "subject": "s", "data": {"email": "ada@example.com"}}
        client.send_message(QueueUrl=url, MessageBody=json.dumps(body))
    return client


def _url(client: Any, name: str) -> str:
    return str(client.get_queue_url(QueueName=f"box-office-dev-{name}")["QueueUrl"])


def bodies(client: Any, name: str) -> list[str]:
    found = []
    while messages := client.receive_message(QueueUrl=_url(client, name), MaxNumberOfMessages=10).get(
        "Messages"
    ):
        found += [json.loads(message["Body"])["id"] for message in messages]
    return sorted(found)


def run(*words: str) -> int:
    return dead_letters.main(["--stage", "dev", *words])


def test_each_queue_says_how_many_it_has(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["3", "mail"],
        ["0", "payments-refunds"],
    ]


def test_they_are_shown_without_what_they_say_and_stay(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "mail") == 0

    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 3
    assert "id-0  a.v1  s  " in shown
    assert "ada@" not in shown
    assert bodies(sqs, "mail-dead-letters") == ["id-0", "id-1", "id-2"]


def test_they_are_put_back_on_their_queue(sqs: Any) -> None:
    assert run("redrive", "mail") == 0

    assert bodies(sqs, "mail") == ["id-0", "id-1", "id-2"]
    assert bodies(sqs, "mail-dead-letters") == []


def test_those_of_one_type_are_thrown_away_and_the_others_stay(sqs: Any) -> None:
    assert run("discard", "mail", "--type", "a.v1") == 0

    assert bodies(sqs, "mail-dead-letters") == ["id-1"]
    assert bodies(sqs, "mail") == []


def test_no_more_than_wanted(sqs: Any) -> None:
    assert run("redrive", "mail", "--limit", "1") == 0

    assert len(bodies(sqs, "mail")) == 1


def test_a_message_that_is_not_ours_is_shown_too(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    sqs.send_message(QueueUrl=_url(sqs, "payments-refunds-dead-letters"), MessageBody="not JSON")

    assert run("show", "payments-refunds") == 0
    assert "unknown" in capsys.readouterr().out


def test_a_queue_that_is_not_there_is_named(sqs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "males") == 2
    assert "no queue males" in capsys.readouterr().err
