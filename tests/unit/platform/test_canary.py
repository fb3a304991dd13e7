"""The canary: what it does where its ticket type is used up, and what it says where something goes wrong."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.platform import canary
from functions.platform.canary import Canary, Unexpected
from functions.platform.jobs import buy_free_ticket
from shared import calls
from tests.support import context

Answers = dict[str, list[tuple[int, dict[str, Any]]]]
EVENT = "5d0c7f0e-1c1f-4a36-8d2b-7a5b1f6d2b11"
PAID = {"paymentStatus": "PAID", "tickets": [{}], "mailStatus": "SENT"}


def usual() -> Answers:
    """What the API answers when all is well, by the last word of the path."""
    return {
        "login": [(200, {"accessToken": "token"})],
        EVENT: [
            (
                200,
                {"ticketTypes": [{"id": "b", "name": "Canary 000002"}, {"id": "a", "name": "Canary 000001"}]},
            )
        ],
        "reserve": [(201, {"reservationId": "held"})],
        "purchase": [(202, {"orderId": "order"})],
        "order": [
            (200, PAID | {"paymentStatus": "PENDING"}),
            (200, PAID | {"mailStatus": None}),
            (200, PAID),
        ],
        "types": [(201, {"id": "c"})],
        "logout": [(204, {})],
    }


@contextmanager
def serving(answers: Answers) -> Iterator[list[tuple[str, Any]]]:
    """An API that gives these answers, the last of each again and again; what it was asked."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            word = self.path.rsplit("/", 1)[1]
            asked.append((word, json.loads(body) if body else None))
            status, answer = answers[word].pop(0) if len(answers[word]) > 1 else answers[word][0]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            data = b"" if status == 204 else json.dumps(answer).encode()
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815  # what http.server calls it

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        url = f"http://127.0.0.1:{server.server_port}"
        calls.api_url.cache_clear()
        patch.setattr("shared.parameters.parameter", lambda name: {"api_url": url}[name])
        patch.setattr(canary, "ASK_EVERY_SECONDS", 0.01)
        try:
            yield asked
        finally:
            calls.api_url.cache_clear()
            server.shutdown()
            server.server_close()


def visit(answers: Answers) -> tuple[list[str], list[tuple[str, Any]]]:
    """The steps that were done, and what was asked."""
    steps: list[str] = []
    with serving(answers) as asked:
        Canary(lambda step, _: steps.append(step)).buy(EVENT, "canary@example.com", "secret")
    return steps, asked


def test_it_goes_all_the_way_and_signs_out() -> None:
    steps, asked = visit(usual())
    assert steps == ["sign_in", "reserve", "purchase", "paid", "mailed"]
    assert ("reserve", {"eventId": EVENT, "items": [{"ticketTypeId": "b", "quantity": 1}]}) in asked
    assert ("purchase", {"reservationId": "held", "paymentMethod": {"type": "free"}}) in asked
    assert asked[-1][0] == "logout"


@pytest.mark.parametrize("code", ["SOLD_OUT", "PER_PERSON_LIMIT"])
def test_a_type_that_is_used_up_is_followed_by_the_next(code: str) -> None:
    used_up = (409, {"error": {"code": code}})
    _, asked = visit(usual() | {"reserve": [used_up, (201, {"reservationId": "held"})]})
    (made,) = [body for word, body in asked if word == "types"]
    assert (made["name"], made["price"], made["perPersonLimit"]) == ("Canary 000003", "0.00", 1000)
    assert [body["items"][0]["ticketTypeId"] for word, body in asked if word == "reserve"] == ["b", "c"]


@pytest.mark.parametrize(
    ("broken", "step"),
    [
        ({"login": [(503, {"error": {"code": "SERVICE_UNAVAILABLE"}})]}, "sign_in"),
        ({"reserve": [(409, {"error": {"code": "SALE_CLOSED"}})]}, "reserve"),
        ({"purchase": [(500, {})]}, "purchase"),
        ({"order": [(200, PAID | {"paymentStatus": "CANCELLED"})]}, "paid"),
        ({"order": [(200, PAID | {"mailStatus": "QUEUED"})]}, "mailed"),
    ],
)
def test_what_goes_wrong_is_known_by_its_step_and_holds_no_secret(
    broken: Answers, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary, "MAILED_SECONDS", 0.1)
    visitor = Canary(lambda *_: None)
    with serving(usual() | broken), pytest.raises(Unexpected) as failed:
        visitor.buy(EVENT, "canary@example.com", "secret")
    assert visitor.step == step
    assert not any(word in str(failed.value) for word in ("canary@", "secret", "token"))


def test_without_an_account_or_an_event_it_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CANARY_SECRET_ARN", "arn")
    for account in ({"email": "", "password": ""}, {"email": "canary@example.com", "password": "secret"}):
        monkeypatch.setattr("shared.parameters.secret", lambda _arn, given=account: given)
        answer = buy_free_ticket.handler({}, context())
        assert answer == {"succeeded": False, "step": "begin", "reason": "not set up"}
    counted = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')
    ]
    assert [line["CanarySucceeded"] for line in counted] == [[0], [0]]
