"""Whatever runs says in each line for whom: service, request, order; and what went wrong, not with what."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shared.api import Api
from shared.consumer import Consumer, Message
from shared.contracts import OrderPaid, VerificationRequested
from shared.database import Database, Sql
from shared.job import job
from shared.log import correlation_id, logger
from shared.task import task
from shared.wire import Answer, Body
from tests.support import a_user, call, context

ORDER_ID = "6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111"


class Paying(Body):
    order_id: str


class Paid(Answer):
    outcome: str = "paid"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> list[dict[str, Any]]:
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in said if "level" in line]  # the others are metrics

    log, (handler, *_) = logger("payments"), logger("payments").handlers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "stream", _Printing())
        yield read
    log.remove_keys(["request_id", "order_id", "message_id", "correlation_id"])


class _Printing:
    """The standard output of this moment, which is another one in each test."""

    def write(self, text: str) -> None:
        print(text, end="")

    def flush(self) -> None:
        """Nothing is held back."""


def test_a_request_is_named_and_the_order_that_it_is_about(lines: Any) -> None:
    api = Api("payments")

    @api.post("/api/payments/process")
    def process(request: Paying) -> Paid:
        logger("payments").warning("declined")
        return Paid()

    reply = call(api.handler, "POST", "/api/payments/process", body={"orderId": ORDER_ID})

    [line] = lines()
    assert (line["service"], line["order_id"]) == ("payments", ORDER_ID)
    assert line["request_id"] == reply.headers["X-Request-Id"]


def test_the_next_request_of_the_same_process_is_about_something_else(lines: Any) -> None:
    api = Api("payments")

    @api.get("/api/payments/methods")
    def methods() -> Paid:
        logger("payments").warning("none")
        return Paid()

    run = task("payments", Paying, lambda _: Paid())
    run({"orderId": ORDER_ID}, context())
    call(api.handler, "GET", "/api/payments/methods", user=a_user())

    of_task, of_request = lines()
    assert of_task["order_id"] == ORDER_ID
    assert "order_id" not in of_request
    assert of_task["request_id"] != of_request["request_id"]


def test_a_task_and_a_job_name_their_invocation(lines: Any) -> None:
    invocation = context()
    task("payments", Paying, lambda _: Paid())({"orderId": ORDER_ID}, invocation)
    job("payments", lambda _: 3)({}, invocation)

    assert [line["request_id"] for line in lines()] == [invocation.aws_request_id] * 2


def test_a_request_begins_something_and_a_task_goes_on_with_what_its_execution_began_with(lines: Any) -> None:
    api, begun = Api("payments"), list[str | None]()

    @api.get("/api/payments/methods")
    def methods() -> Paid:
        logger("payments").warning("none")
        begun.append(correlation_id())
        return Paid()

    call(api.handler, "GET", "/api/payments/methods", user=a_user())
    event = {"orderId": ORDER_ID, "execution": {"orderId": ORDER_ID, "correlationId": begun[0]}}
    task("payments", Paying, lambda _: Paid())(event, context())
    task("payments", Paying, lambda _: Paid())({"orderId": ORDER_ID, "execution": {}}, context())

    of_request, of_task, of_older = lines()
    assert of_request["correlation_id"] == of_request["request_id"] == begun[0]
    assert of_task["correlation_id"] == begun[0] != of_task["request_id"]
    assert of_older["correlation_id"] == of_older["request_id"], "it began before there was one"


def test_a_consumer_goes_on_with_what_each_message_belongs_to(lines: Any, aws: Any) -> None:
    consumer, seen = Consumer(Database("payments"), "mail"), list[str | None]()
    aws.queue("mail")

    @consumer.on_call(OrderPaid)
    def handle(_message: Message[Any]) -> None:
        seen.append(correlation_id())

    about = {"subject": str(uuid4()), "sequence": 1, "time": "2030-01-01T00:00:00Z"}
    data = {"orderId": ORDER_ID, "userId": str(uuid4()), "eventId": str(uuid4()), "amount": "1.00"}
    sent = [
        {"id": str(uuid4()), "type": OrderPaid.TYPE, "data": data | {"currency": "EUR"}, **about}
        for _ in range(3)
    ]
    sent[0]["correlationid"], sent[2]["correlationid"] = "one purchase", "another"
    invocation = context()
    answer = consumer.handler({"Records": [aws.record("mail", one) for one in sent]}, invocation)

    assert answer["batchItemFailures"] == []
    assert seen == ["one purchase", invocation.aws_request_id, "another"]
    assert [(line["message"], line["correlation_id"]) for line in lines()] == [
        ("message handled", id) for id in seen
    ]


def test_a_task_that_is_given_nonsense_does_not_repeat_it(lines: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        task("payments", Paying, lambda _: Paid())({"orderId": 7, "email": "ada@example.com"}, context())

    [line] = lines()
    assert line["level"] == "ERROR"
    assert "ada@example.com" not in json.dumps(line)


def test_a_message_and_its_order_are_named_and_a_wrong_one_is_not_repeated(
    lines: Any, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = Consumer(Database("payments"), "mail")
    aws.queue("mail")

    @consumer.on(OrderPaid, VerificationRequested)
    def never(message: Message[Any], sql: Sql) -> None:
        raise AssertionError

    def envelope(type: str, data: dict[str, Any]) -> dict[str, Any]:
        about = {"subject": str(uuid4()), "sequence": 1, "time": "2030-01-01T00:00:00Z"}
        return {"id": str(uuid4()), "type": type, "data": data, **about}

    sent = [
        envelope(OrderPaid.TYPE, {"orderId": ORDER_ID}),
        envelope(VerificationRequested.TYPE, {"email": ["ada@example.com"], "token": {"a": "secret-token"}}),
    ]
    invocation = context()
    answer = consumer.handler({"Records": [aws.record("mail", one) for one in sent]}, invocation)

    assert len(answer["batchItemFailures"]) == 2
    of_order, of_user = (line for line in lines() if line["message"] == "message failed")
    assert (of_order["message_id"], of_order["order_id"]) == (sent[0]["id"], ORDER_ID)
    assert of_user["message_id"] == sent[1]["id"]
    assert "order_id" not in of_user
    assert {of_order["request_id"], of_user["request_id"]} == {invocation.aws_request_id}
    assert "ada@example.com" not in json.dumps(of_user)
    assert "secret-token" not in json.dumps(of_user)
