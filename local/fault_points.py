"""Named points in a Lambda process at which an ordered fault happens, such as the process's death after a commit.

Loaded by `local/zygote.py` before it forks, so it imports nothing of the laptop cloud. The host sends the order for an
invocation in the header that the Runtime API has for a mobile client's context, which nothing here uses; the function
does not see it. What the process has loaded is patched at its first order: without one nothing is different.

| point | where |
|---|---|
| entry | the invocation has come, the handler has not been called |
| before_commit, after_commit | a transaction that wrote something |
| before_call, after_call | an HTTP request, but to queues and topics: a provider, S3, Step Functions, a service |
| before_publish, after_publish | up to ten messages of one destination leave the outbox |
| before_answer | the handler has returned, nobody knows it |
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

POINTS = (
    "entry",
    "before_commit",
    "after_commit",
    "before_call",
    "after_call",
    "before_publish",
    "after_publish",
    "before_answer",
)
POINT_MODES = frozenset({"kill", "error", "slow", "hang"})
"""What can happen at a point; an error at `entry` is one without a point."""
SLOW_SECONDS = 3.0
REPORT_PATH = "/local/fault"
_FOR_EVER = 3600.0
_WROTE = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote"


class Points:
    """The points of this process and the order for the invocation that it runs; `address` takes reports."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._order: dict[str, Any] | None = None
        self._reached: Counter[str] = Counter()
        self._is_patched = False
        self.publishing = False

    def arm(self, order: dict[str, Any] | None) -> None:
        """Begin an invocation under this order, if there is one."""
        self._order = order
        self._reached.clear()
        if order is not None and not self._is_patched:
            self._is_patched = True
            _patch_calls(self)
            _patch_database(self)
            _patch_outbox(self)

    def reach(self, point: str) -> bool:
        """Be at `point`: die, hang or wait there if that is the order. True: fail there, each point in its own way."""
        if self._order is None:
            return False
        self._reached[point] += 1
        if self._order.get("point") != point or self._reached[point] != self._order["nth"]:
            return False
        return self._strike(self._order)

    def answer(self) -> bool:
        """As `reach`, at the end of the invocation; the host is told how far it came."""
        must_fail = self.reach("before_answer")
        if self._order is not None:
            self._report(fired=False)
        self._order = None
        return must_fail

    def _strike(self, order: dict[str, Any]) -> bool:
        self._report(fired=True)
        self._order = None
        if order["mode"] == "slow":
            time.sleep(order["seconds"] or SLOW_SECONDS)
        elif order["mode"] == "hang":
            time.sleep(order["seconds"] or _FOR_EVER)
        if order["mode"] in ("hang", "kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        return bool(order["mode"] == "error")

    def _report(self, *, fired: bool) -> None:
        """Tell the host and wait until it knows. By a bare socket: `http.client` is patched."""
        body = json.dumps({"fired": fired, "reached": self._reached}).encode()
        head = f"POST {REPORT_PATH} HTTP/1.1\r\nHost: local\r\nContent-Length: {len(body)}\r\n\r\n"
        host, _, port = self._address.partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode() + body)
            connection.recv(1024)


def runtime_client(base: type[Any], address: str) -> Any:
    """The runtime's client at `address`, of a class made from `base`, with the points at both ends of an invocation."""
    points = Points(address)

    class Client(base):  # type: ignore[misc]  # the class comes with the process that runs it
        def wait_next_invocation(self) -> Any:
            request = super().wait_next_invocation()
            order, request.client_context = request.client_context, None
            points.arm(json.loads(order) if order else None)
            points.reach("entry")
            return request

        def post_invocation_result(self, invoke_id: str, *rest: Any, **options: Any) -> None:
            if points.answer():
                failure = {"errorType": "FaultInjected", "errorMessage": "a fault was ordered for this call"}
                super().post_invocation_error(invoke_id, json.dumps(failure), "")
            else:
                super().post_invocation_result(invoke_id, *rest, **options)

        def post_invocation_error(self, *arguments: Any, **options: Any) -> None:
            points.answer()
            super().post_invocation_error(*arguments, **options)

    return Client(address)


def _patch_calls(points: Points) -> None:
    """Every HTTP client of the functions' stands on `http.client`."""
    send, receive = http.client.HTTPConnection.endheaders, http.client.HTTPConnection.getresponse
    extension = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")

    def endheaders(self: Any, *arguments: Any, **options: Any) -> None:
        ours = str(self.port) == extension or b"AmazonSQS" in b"".join(self._buffer)
        self.is_call = not ours and not points.publishing
        if self.is_call and points.reach("before_call"):
            raise ConnectionRefusedError("a fault was ordered for this call")
        send(self, *arguments, **options)

    def getresponse(self: Any) -> Any:
        response = receive(self)
        if getattr(self, "is_call", False) and points.reach("after_call"):
            self.close()
            raise ConnectionResetError("a fault was ordered for this call")
        return response

    _set(http.client.HTTPConnection, "endheaders", endheaders)
    _set(http.client.HTTPConnection, "getresponse", getresponse)


def _patch_database(points: Points) -> None:
    """An error at a commit is a connection that breaks: before it nothing is kept, after it everything is."""
    module = _loaded("shared.database")
    if module is None:
        return
    execute: Callable[..., Any] = module.Database.execute

    def wrote(self: Any) -> bool:
        try:
            row = execute(self, _WROTE, {}, lambda cursor: cursor.fetchone(), may_reconnect=False)
        except Exception:  # noqa: BLE001  # the transaction has failed, or its connection has: COMMIT will say so
            return False
        return bool(row["wrote"])

    def with_points(self: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement != "COMMIT" or not wrote(self):
            return execute(self, statement, *arguments, **options)
        if points.reach("before_commit"):
            self._connection.close()
        result = execute(self, statement, *arguments, **options)
        if points.reach("after_commit"):
            self.reset()
            raise module.Unavailable("database")
        return result

    _set(module.Database, "execute", with_points)


def _patch_outbox(points: Points) -> None:
    module = _loaded("shared.outbox")
    if module is None:
        return
    publish: Callable[..., list[int]] = module._publish_batch

    def with_points(*arguments: Any) -> list[int]:
        if points.reach("before_publish"):
            raise ConnectionRefusedError("a fault was ordered for this message")
        points.publishing = True
        try:
            done = publish(*arguments)
        finally:
            points.publishing = False
        if points.reach("after_publish"):
            raise ConnectionResetError("a fault was ordered for this message")
        return done

    _set(module, "_publish_batch", with_points)


def _loaded(name: str) -> Any:
    """Our own layer's module; None in a function without our layer."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _set(owner: Any, name: str, value: object) -> None:
    setattr(owner, name, value)
