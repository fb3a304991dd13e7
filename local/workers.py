"""Lambda processes: started by a preloaded parent, invoked through the Runtime API, killed when they overrun."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.faults import Stroke
from local.resources import REGION, Function
from local.runtime_api import Answer, InitFailed, ProcessExited, RuntimeApi

PRELOAD = (
    "simplejson",
    "snapshot_restore_py",
    "annotated_types",
    "pydantic.alias_generators",
    "pydantic.deprecated.config",
    "pydantic.functional_serializers",
    "pydantic.functional_validators",
    "pydantic.json_schema",
    "pydantic.main",
    "pydantic.networks",
    "pydantic.plugin._schema_validator",
    "pydantic.type_adapter",
    "pydantic.types",
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.middlewares.openapi_validation",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.parser",
    "psycopg2",
    "psycopg2.errorcodes",
    "psycopg2.extras",
    "boto3",
    "botocore.session",
    "botocore.httpsession",
    "botocore.signers",
    "redis",
    "redis.cluster",
    "jwt",
    "jwt.algorithms",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "argon2",
    "jinja2",
    "jinja2.sandbox",
    "stripe",
    "qrcode",
    "qrcode.image.pure",
    "email_validator",
    "http.client",
    "email.message",
    "uuid",
    "decimal",
    "zoneinfo",
)
"""What most functions import: loaded once, before any process is forked. pydantic's parts load only when named."""
INIT_SECONDS = 20.0
"""Lambda's own limit is 10 s; a laptop that starts everything at once is slower."""
MAX_PAYLOAD = 6 * 1024 * 1024
_KEEP = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


class Zygote:
    """The preloaded parent process (`local/zygote.py`)."""

    def __init__(self, log: Path, preload: Sequence[str] = PRELOAD) -> None:
        self._log = log
        self._preload = preload
        self._process: asyncio.subprocess.Process | None = None
        self._started: dict[int, asyncio.Future[int]] = {}
        self._exits: dict[int, Callable[[str], None]] = {}
        self._ids = itertools.count()
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._alive = False

    async def start(self) -> None:
        """Start it and wait until it has imported everything. Raises RuntimeError if it does not come up."""
        script = Path(__file__).with_name("zygote.py")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(script),
                ",".join(self._preload),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        if not await self._process.stdout.readline():
            raise RuntimeError(f"the parent of the Lambda processes did not start: see {self._log}")
        self._alive = True
        self._reader = asyncio.create_task(self._listen(self._process.stdout))

    async def fork(self, order: dict[str, Any], exited: Callable[[str], None]) -> int:
        """Start a process and return its id; `exited` is called with the reason when it ends.

        Should the parent have died, there is a new one first. Raises ProcessExited if the process cannot be started.
        """
        async with self._starting:
            if not self._alive:
                await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        id_ = next(self._ids)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._started[id_], self._exits[id_] = future, exited
        self._process.stdin.write(json.dumps({**order, "id": id_}).encode() + b"\n")
        return await future

    async def stop(self) -> None:
        """End it and all its processes."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def _listen(self, output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            message = json.loads(line)
            if "started" in message:
                _settle(self._started.pop(message["started"]), message["pid"])
            elif "ended" in message:
                status = message["status"]
                reason = f"exit status {status}" if status >= 0 else f"signal: {signal.Signals(-status).name}"
                if exited := self._exits.pop(message["ended"], None):
                    exited(reason)
        self._alive = False
        reason = "the parent of the Lambda processes ended"
        started, exits = self._started, self._exits
        self._started, self._exits = {}, {}
        for future in started.values():
            _settle(future, ProcessExited(reason))
        for exited in exits.values():
            exited(reason)


def _settle(future: asyncio.Future[int], outcome: int | ProcessExited) -> None:
    if future.done():
        return
    if isinstance(outcome, int):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


class Worker:
    """One Lambda process: it runs one invocation at a time."""

    def __init__(self, function: Function, zygote: Zygote, environment: dict[str, str], state: Path) -> None:
        self.function = function
        self.idle_since = 0.0
        self.alive = False
        self.gone: Callable[[Worker], None] = lambda _: None
        self._zygote = zygote
        self.environment = dict(environment)
        self._state = state
        self._api = RuntimeApi(function.arn)
        self._pid: int | None = None

    async def start(self) -> None:
        """Start the process and wait for its handler. Raises InitFailed."""
        port = await self._api.start()
        self.alive = True
        try:
            self._pid = await self._zygote.fork(self._order(port), self._exited)
            await asyncio.wait_for(self._api.ready(), INIT_SECONDS)
        except ProcessExited as exit_:
            self.kill()
            raise InitFailed(
                _error("Runtime.ExitError", f"Runtime exited with error: {exit_.reason}")
            ) from None
        except TimeoutError:
            self.kill()
            raise InitFailed(
                _error("Sandbox.Timedout", f"Init timed out after {INIT_SECONDS:.0f} s")
            ) from None
        except InitFailed:
            self.kill()
            raise

    async def invoke(self, payload: bytes, stroke: Stroke | None = None) -> Answer:
        """Run one invocation under the function's timeout, as Lambda does; a failure is an answer, not an exception.

        `stroke` is the fault that may happen in it, and learns whether it did.
        """
        try:
            return await self._invoke(payload, stroke)
        finally:
            if stroke is not None and self._api.report is not None:
                stroke.hear(self._api.report)

    async def _invoke(self, payload: bytes, stroke: Stroke | None) -> Answer:
        id_ = str(uuid.uuid4())
        limit = self.function.timeout
        deadline = int((time.time() + limit) * 1000)
        try:
            order = stroke.order if stroke else None
            answer = await asyncio.wait_for(self._api.invoke(id_, payload, deadline, order), limit)
        except TimeoutError:
            self.kill()
            return self._timed_out(id_, limit)
        except ProcessExited as exit_:
            if stroke is not None and stroke.fault.mode == "hang" and (self._api.report or {}).get("fired"):
                return self._timed_out(id_, stroke.fault.seconds or limit)
            message = f"RequestId: {id_} Error: Runtime exited with error: {exit_.reason}"
            return self._failed("Runtime.ExitError", message)
        except asyncio.CancelledError:
            self.kill()  # it is still at work and must not be handed to another call
            raise
        if len(answer.payload) > MAX_PAYLOAD:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
            return self._failed("Function.ResponseSizeTooLarge", message)
        return answer

    def kill(self) -> None:
        """End the process at once."""
        if self._pid is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._exited("signal: SIGKILL")

    def _exited(self, reason: str) -> None:
        if self.alive:
            self.alive = False
            self._api.exited(reason)
            self._api.close()
            self.gone(self)

    def _order(self, port: int) -> dict[str, Any]:
        function = self.function
        environment = {name: os.environ[name] for name in _KEEP if name in os.environ} | {
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(function.code),
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **function.environment,
            **self.environment,  # last: the template names AWS's port of the extension
        }
        return {
            "environment": environment,
            "handler": function.handler,
            "paths": [str(function.code), *map(str, function.layers)],
            "log": str(self.log),
            "pycache": str(self._state / "pycache"),
        }

    @property
    def log(self) -> Path:
        """The file that takes the process's standard output and error."""
        return self._state / "logs" / f"{self.function.name}.log"

    def _timed_out(self, id_: str, limit: float) -> Answer:
        return self._failed("Sandbox.Timedout", f"{_now()} {id_} Task timed out after {limit:.2f} seconds")

    def _failed(self, kind: str, message: str) -> Answer:
        with self.log.open("a") as log:
            log.write(f"{message}\n")
        return Answer(_error(kind, message), "Unhandled")


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
