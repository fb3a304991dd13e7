"""Answering a task of Step Functions that is over is done with; one that could not be answered stays for the sweep."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest

from shared import aws, outbox
from shared.database import Database
from tests.databases import TestDatabase

SUBJECT = UUID(int=7)


class StepFunctions:
    """It refuses every answer, with this error."""

    def __init__(self) -> None:
        self.error = ""
        refusing = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                body = json.dumps({"__type": refusing.error, "message": "No"}).encode()
                self.send_response(400)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def step_functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepFunctions]:
    running = StepFunctions()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://127.0.0.1:{running.server.server_port}")
    aws.client.cache_clear()
    yield running
    aws.client.cache_clear()
    running.server.shutdown()
    running.server.server_close()


@pytest.mark.parametrize(
    ("error", "left"),
    [("TaskTimedOut", 0), ("TaskDoesNotExist", 0), ("InvalidToken", 0), ("AccessDeniedException", 1)],
)
def test_what_is_left_of_an_answer_that_is_refused(
    database: Database, store: TestDatabase, step_functions: StepFunctions, error: str, left: int
) -> None:
    step_functions.error = error
    with database.transaction() as sql:
        outbox.wake(sql, "a token", {"outcome": "paid"}, subject=SUBJECT)
    assert len(store.all("SELECT FROM outbox WHERE published_at IS NULL")) == left
