"""An HTTP/1.1 server for the emulator: a thread per connection, connections kept open.

werkzeug's own server closes the connection after each answer, which costs every AWS call a connect and a thread.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from local.cloud import RELEASE_PATH
from local.faults import AnswerLost, Fault, FaultError, Faults, OrderedFault
from local.permissions.calls import Call
from local.sendgrid_simulator import FAULTS_PATH as SENDGRID_FAULTS_PATH
from local.sendgrid_simulator import PATH as SENDGRID_PATH
from local.sendgrid_simulator import SendGrid

if TYPE_CHECKING:
    from local.aws_permissions import Door

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
FAULTS_PATH = "/_local/faults"


class AwsServer(ThreadingHTTPServer):
    """Serves a WSGI application, the orders for faults under `FAULTS_PATH`, and the simulated SendGrid.

    `release` makes messages visible, all but those of the ids that it is given; under `RELEASE_PATH`. `door` turns away
    whoever may not do what is asked.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        port: int,
        app: WsgiApp,
        faults: Faults,
        sendgrid: SendGrid | None = None,
        release: Callable[..., int] = lambda *_, **__: 0,
        door: Door | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.app = app
        self.faults = faults
        self.sendgrid = sendgrid
        self.release = release
        self.door = door

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: AwsServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            body = self._read_body()
            try:
                self._answer(body)
            except AnswerLost:
                self.close_connection = True
            self.wfile.flush()

    def _answer(self, body: bytes) -> None:
        if self.path.startswith(FAULTS_PATH):
            self._serve_faults(body, self.server.faults)
        elif self.path == RELEASE_PATH:
            released = self._release(json.loads(body))
            self._send(
                200, [("Content-Type", "application/json")], json.dumps({"released": released}).encode()
            )
        elif self.server.sendgrid is not None and self.path.startswith(SENDGRID_FAULTS_PATH):
            self._serve_faults(body, self.server.sendgrid.faults)
        elif self.server.sendgrid is not None and self.path.startswith(SENDGRID_PATH):
            self._send(*self.server.sendgrid.answer(self.command, self.path, dict(self.headers), body))
        else:
            self._serve(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Every call would be a line."""

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # Its process was killed while it asked: what it said of it is no call, and nobody waits for an answer.
            raise ConnectionAbortedError("the client hung up before its request was whole")
        return body

    def _serve(self, body: bytes) -> None:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            started[:] = [status, headers]

        door, call = self.server.door, None
        if door is not None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, self.path, headers, body)
            if refusal := door.refusal(call):
                self._send(refusal.status, refusal.headers, refusal.body)
                return
        try:
            answer = b"".join(self.server.app(self._environ(body), start_response))
        except AnswerLost:
            raise
        except OrderedFault as fault:
            self._fail(str(fault))
            return
        except Exception as error:  # noqa: BLE001  # whatever is wrong in the emulator, its client gets an answer
            traceback.print_exc()
            self._fail(repr(error))
            return
        status, headers = started
        if (
            door is not None
            and call is not None
            and status.startswith("404")
            and (hidden := door.hides(call))
        ):
            self._send(hidden.status, hidden.headers, hidden.body)
            return
        self._send(int(status.split(" ", 1)[0]), headers, answer)

    def _fail(self, message: str) -> None:
        body = json.dumps({"__type": "InternalFailure", "message": message}).encode()
        self._send(500, [("Content-Type", "application/json"), ("x-amzn-ErrorType", "InternalFailure")], body)

    def _send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        empty = self.command == "HEAD" or status in (204, 304)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        self.send_header("Content-Length", lengths[0] if empty and lengths else str(len(body)))
        self.end_headers()
        if not empty:
            self.wfile.write(body)

    def _environ(self, body: bytes) -> Environ:
        path, _, query = self.path.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _release(self, wanted: dict[str, Any]) -> int:
        return self.server.release(set(wanted["held"]), put_off=wanted["putOff"])

    def _serve_faults(self, body: bytes, faults: Faults) -> None:
        status = 200
        try:
            if self.command == "PUT":
                faults.add([Fault.parse(item) for item in json.loads(body)])
            elif self.command == "DELETE":
                faults.clear()
            answer: object = [fault.json() for fault in faults.pending()]
        except (FaultError, ValueError, TypeError) as error:
            answer, status = {"message": str(error)}, 400
        self._send(status, [("Content-Type", "application/json")], json.dumps(answer).encode())
