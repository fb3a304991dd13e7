"""A simulated payment provider as a process of its own, and an endpoint that receives its webhooks."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass
class ProviderServer:
    """A simulated account. `kill` and `start` again: everything it answered is still there."""

    state: Path
    port: int
    webhook_url: str
    process: subprocess.Popen[str] | None = None

    def words(self) -> list[str]:
        """The command after `python -m`, but for what all have in common."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Base address of the API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        module, *words = self.words()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", module),
                *("--port", str(self.port), "--state", str(self.state), "--webhook-url", self.webhook_url),
                *words,
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert "listening" in line, f"{module} did not start: {line}"

    def kill(self) -> None:
        """kill -9."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        assert self.process
        self.process.terminate()
        self.process.wait(timeout=60)

    def control(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the control API; returns status and JSON (None when there is none)."""
        request = urllib.request.Request(
            f"{self.url}/_control/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read()
        return status, json.loads(text) if text else None

    def fault(self, mode: str, **more: object) -> None:
        """Let the next call fail in this way."""
        status, answer = self.control("PUT", "faults", [{"mode": mode, **more}])
        assert status == 200, answer


@dataclass
class Delivery:
    """One webhook as it arrived; `headers` by lower-case name."""

    body: bytes
    headers: dict[str, str]
    at: float = field(default_factory=time.monotonic)

    @property
    def signature(self) -> str:
        """Stripe's header."""
        return self.headers["stripe-signature"]

    @property
    def event(self) -> dict[str, Any]:
        """The event in it."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def type(self) -> str:
        """What happened, in the provider's word."""
        return str(self.event.get("event_type") or self.event.get("type"))


class Endpoint:
    """A webhook endpoint: keeps what arrives and answers with `status`."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.status = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                endpoint.deliveries.append(Delivery(body, headers))
                self.send_response(endpoint.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def of(self, object_id: str, kind: str | None = None) -> list[Delivery]:
        """What has arrived about an object (or about what belongs to a payment), of one type if given."""
        return [
            delivery
            for delivery in list(self.deliveries)
            if object_id in delivery.body.decode() and kind in (None, delivery.type)
        ]


def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)
