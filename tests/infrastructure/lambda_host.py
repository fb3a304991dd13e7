"""A Lambda host whose functions answer by a script: what the state machine calls when its tasks are not the point."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from local.attributes import function_name

BROKEN = "broken"
Answers = list[dict[str, Any] | str]


class ScriptedTasks:
    """The tasks of many orders at once. An order's script has for each task its answers in turn; the last one stays."""

    def __init__(self) -> None:
        self.scripts: dict[str, dict[str, Answers]] = {}
        self.calls: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._lock = threading.Lock()

    def called(self, order: str) -> list[str]:
        """The tasks called for an order, in order, repeated calls once."""
        names = [name for name, _ in self.calls.get(order, [])]
        return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]

    def tries(self, order: str, task: str) -> int:
        """How often a task was called."""
        return [name for name, _ in self.calls.get(order, [])].count(task)

    def last(self, order: str, task: str) -> dict[str, Any]:
        """What a task was called with the last time; empty if it was not called."""
        return next((event for name, event in reversed(self.calls.get(order, [])) if name == task), {})

    def answer(self, task: str, event: dict[str, Any]) -> dict[str, Any] | str:
        """Note the call and give the next answer."""
        order = str(event["orderId"] if "orderId" in event else event["reservation"]["orderId"])
        with self._lock:
            self.calls.setdefault(order, []).append((task, event))
            answers = self.scripts[order].get(task, [{}])
            return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def running(tasks: ScriptedTasks) -> Iterator[str]:
    """The Invoke API in front of the tasks; its host and port."""

    class Invoke(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called = unquote(self.path.split("/functions/")[1].split("/")[0])
            task = function_name(called).split("-saga-")[1]
            answer = tasks.answer(task, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            failed = answer == BROKEN
            body = json.dumps(
                {"errorType": "Broken", "errorMessage": "broken"} if failed else answer
            ).encode()
            self.send_response(200)
            if failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Invoke)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
