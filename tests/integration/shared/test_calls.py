"""Calls between services: bounded in time as a whole, with the caller's token, and not made to whoever is down."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared import calls
from shared.breaker import CircuitOpen
from shared.errors import NotFound, Unavailable
from tests.cloud import Extension
from tests.support import a_user


class Neighbour:
    """Another service, which answers as it is told."""

    def __init__(self) -> None:
        self.status, self.body = 200, b'{"well": true}'
        self.asked: list[tuple[str, str | None]] = []
        self.drips = ""
        self.finished, self.closing = threading.Event(), threading.Event()
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                neighbour.asked.append((self.path, self.headers["Authorization"]))
                if neighbour.drips == "head":
                    self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                self.send_response(neighbour.status)
                if neighbour.drips == "body":
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self._drip(b"{")
                    return
                self.send_header("Content-Length", str(len(neighbour.body)))
                self.end_headers()
                self.wfile.write(neighbour.body)

            def _drip(self, start: bytes) -> None:
                """A byte now and then, never so late that a client's time-out for the next one is over."""
                self.wfile.write(start)
                for _ in range(300):
                    self.wfile.write(b" ")
                    if neighbour.closing.wait(0.1):
                        return
                neighbour.finished.set()

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def neighbour(extension: Extension) -> Iterator[Neighbour]:
    """The neighbour, found as every service finds the others; failures are counted by this process alone."""
    running = Neighbour()
    extension.parameters |= {
        "api_url": running.url + "/",
        "call_timeout_seconds": "1",
        "call_circuit_failures": "5",
        "call_circuit_seconds": "30",
    }
    for setting in (calls.TIMEOUT_SECONDS, calls.CIRCUIT_FAILURES, calls.CIRCUIT_SECONDS):
        setting._value = None
    calls.forget()
    yield running
    calls.forget()
    calls.TIMEOUT_SECONDS._value = None
    running.stop()


def fail(times: int, path: str = "/api/x") -> None:
    for _ in range(times):
        with pytest.raises(Unavailable) as failed:
            calls.get("tickets", path)
        assert not isinstance(failed.value, CircuitOpen)


def test_the_callers_token_goes_along(neighbour: Neighbour) -> None:
    user = a_user()

    assert calls.get("tickets", "/api/tickets/types", user=user, eventId="a&b", limit=1) == {"well": True}
    assert calls.get("tickets", "/api/health/tickets") == {"well": True}

    assert neighbour.asked == [
        ("/api/tickets/types?eventId=a%26b&limit=1", f"Bearer {user.token}"),
        ("/api/health/tickets", None),
    ]


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips_is_not_waited_for(neighbour: Neighbour, part: str) -> None:
    neighbour.drips = part

    fail(1)

    assert not neighbour.finished.is_set()


def test_five_failures_in_a_row_and_the_other_service_is_left_alone(neighbour: Neighbour) -> None:
    neighbour.status = 503
    fail(5)
    neighbour.asked.clear()

    with pytest.raises(CircuitOpen) as refused:
        calls.get("tickets", "/api/x")

    assert refused.value.status == 503
    assert refused.value.dependency == "calls.tickets"
    assert 1 <= (refused.value.retry_after or 0) <= 30
    assert neighbour.asked == []


def test_a_service_that_is_stopped_counts_as_failing_and_the_others_do_not(neighbour: Neighbour) -> None:
    neighbour.stop()
    fail(5)

    with pytest.raises(CircuitOpen):
        calls.get("tickets", "/api/x")
    with pytest.raises(Unavailable) as failed:
        calls.get("events", "/api/x")
    assert not isinstance(failed.value, CircuitOpen)


@pytest.mark.parametrize(("status", "error"), [(404, NotFound), (401, calls.Refused), (400, calls.Refused)])
def test_what_the_other_service_refuses_is_no_failure_of_it(
    neighbour: Neighbour, status: int, error: type[Exception]
) -> None:
    neighbour.status = status
    for _ in range(6):
        with pytest.raises(error):
            calls.get("tickets", "/api/x")

    neighbour.status = 200
    assert calls.get("tickets", "/api/x") == {"well": True}


def test_whoever_asks_how_it_is_always_asks(neighbour: Neighbour) -> None:
    neighbour.status = 503
    fail(5)
    neighbour.status, neighbour.body = 200, json.dumps({"status": "ok"}).encode()

    assert calls.ask("tickets", "/api/health/tickets") == {"status": "ok"}


def test_a_parameter_store_that_is_away_opens_no_circuit(neighbour: Neighbour, extension: Extension) -> None:
    url: Any = extension.parameters.pop("api_url")
    fail(6)
    extension.parameters["api_url"] = url

    assert calls.get("tickets", "/api/x") == {"well": True}
