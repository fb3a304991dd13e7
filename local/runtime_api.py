"""The Lambda Runtime API for one process: what the real `awslambdaric` talks to.

Each process has a listener of its own, because the runtime client knows nothing but a host and a port.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from local.fault_points import REPORT_PATH

_MAX_LINE = 1024 * 1024


class ProcessExited(Exception):
    """The process ended while it owed an answer; `reason` is what Lambda would log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InitFailed(Exception):
    """The process could not import its handler; `payload` is the error that it reported (JSON)."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@dataclass(frozen=True)
class Answer:
    """What an invocation gave: a JSON payload, and `Unhandled` in `error` if the function failed."""

    payload: bytes
    error: str | None = None


@dataclass(frozen=True)
class _Job:
    id: str
    payload: bytes
    deadline_ms: int
    order: str | None


class RuntimeApi:
    """Hands jobs to one process, one at a time, and takes its answers."""

    def __init__(self, function_arn: str) -> None:
        loop = asyncio.get_running_loop()
        self._arn = function_arn
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(1)
        self._ready: asyncio.Future[None] = loop.create_future()
        self._answer: asyncio.Future[Answer] | None = None
        self._current = ""
        self.report: dict[str, Any] | None = None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen on a free port and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MAX_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def ready(self) -> None:
        """Wait until the process has imported its handler. Raises InitFailed or ProcessExited."""
        await asyncio.shield(self._ready)

    async def invoke(self, id_: str, payload: bytes, deadline_ms: int, order: str | None = None) -> Answer:
        """Run one invocation, under an order for a fault. Raises ProcessExited.

        What the process tells of the order is in `report` then.
        """
        self._answer, self._current = asyncio.get_running_loop().create_future(), id_
        self.report = None
        await self._jobs.put(_Job(id_, payload, deadline_ms, order))
        return await self._answer

    def exited(self, reason: str) -> None:
        """The process is gone: whoever waits for it is told."""
        for future in (self._ready, self._answer):
            if future is not None and not future.done():
                future.set_exception(ProcessExited(reason))
                future.exception()

    def close(self) -> None:
        """Stop listening and drop the process's connections."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (request := await _read_request(reader, writer)) is not None:
                path, body = request
                writer.write(await self._respond(path, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    async def _respond(self, path: str, body: bytes) -> bytes:
        if path.endswith("/invocation/next"):
            return await self._next()
        if path.endswith("/init/error"):
            if not self._ready.done():
                self._ready.set_exception(InitFailed(body))
                self._ready.exception()
        elif path.endswith(f"/{self._current}/response"):
            self._settle(Answer(body))
        elif path.endswith(f"/{self._current}/error"):
            self._settle(Answer(body, "Unhandled"))
        elif path == REPORT_PATH:
            told = json.loads(body)
            earlier = self.report or {"fired": False}
            self.report = {**told, "fired": told["fired"] or earlier["fired"]}
        return _http("202 Accepted", b'{"status":"OK"}')

    async def _next(self) -> bytes:
        if not self._ready.done():
            self._ready.set_result(None)
        job = await self._jobs.get()
        order = f"Lambda-Runtime-Client-Context: {job.order}\r\n" if job.order else ""
        return _http(
            "200 OK",
            job.payload,
            f"Lambda-Runtime-Aws-Request-Id: {job.id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {job.deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {self._arn}\r\n"
            f"Lambda-Runtime-Trace-Id: Root=1-00000000-{job.id.replace('-', '')[:24]};Sampled=0\r\n{order}",
        )

    def _settle(self, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def _http(status: str, body: bytes, headers: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[str, bytes] | None:
    """The path and the body of the next request; None at the end of the connection."""
    line = await reader.readline()
    if not line:
        return None
    path = line.decode("latin-1").split(" ")[1]
    headers = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", ""):
        return path, await _read_chunks(reader)
    return path, await reader.readexactly(int(headers.get("content-length", 0)))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
