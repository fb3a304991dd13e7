"""The Lambda host: runs functions in warm processes, capped in number, as AWS Lambda would.

One process runs one invocation at a time and is reused, the most recently used first. What Lambda answers when a
function fails, overruns or cannot start, this host answers too. Beyond the cap a caller waits `queue_seconds` for a
process and then gets `TooManyRequests`, the 429 of Lambda's own concurrency limit.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.faults import SLOW_SECONDS, Faults, Stroke
from local.invoke_api import InvokeApi
from local.permissions.gate import Denied, Gate
from local.permissions.grants import OPERATOR, access_key, role_caller
from local.permissions.policy import Caller
from local.permissions.sign_ins import credentials, sign_in
from local.resources import ACCOUNT, REGION, Function
from local.runtime_api import Answer, InitFailed
from local.workers import PRELOAD, Worker, Zygote

__all__ = ["Answer", "HostSettings", "LambdaHost", "TooManyRequests", "UnknownFunction"]

EAGER_PROCESSES = max(2, os.cpu_count() or 2)
PATIENCE_SECONDS = 0.1
"""A function gets its first processes as soon as a call finds none free, further ones when a call has waited this long
for each that it has: more processes than processors help only where calls wait for something else."""
RESTED_SECONDS = 2.0
"""A process idle for as long may make room for another function's; a crowd would else start and end processes only."""
HOT_MEMORY = 1024
"""MB."""
ASYNC_RETRY_SECONDS = (60.0, 120.0)
"""Lambda tries a failed asynchronous invocation twice more, after one minute and after two."""


class TooManyRequests(Exception):
    """No process is free and no more may be started."""


class UnknownFunction(Exception):
    """There is no function of that name."""


@dataclass(frozen=True)
class HostSettings:
    """`port` serves the Invoke API and the Parameters and Secrets extension; times are in seconds."""

    state: Path
    aws_url: str
    port: int
    max_processes: int = 64
    queue_seconds: float = 5.0
    idle_seconds: float = 300.0
    parallel_starts: int = max(2, os.cpu_count() or 2)
    session_token: str = "local-session"
    preload: Sequence[str] = PRELOAD


@dataclass
class _Waiting:
    """A call that waits for a process."""

    worker: asyncio.Future[Worker]
    since: float = field(default_factory=time.monotonic)


@dataclass
class _Pool:
    """The processes of one function and the calls that wait for one."""

    function: Function
    idle: list[Worker] = field(default_factory=list)
    waiting: deque[_Waiting] = field(default_factory=deque)
    processes: int = 0
    starting: int = 0
    in_flight: int = 0

    @property
    def exhausted(self) -> bool:
        reserved = self.function.reserved_concurrency
        return reserved is not None and self.in_flight >= reserved


class LambdaHost:
    """Invokes `functions` (by name). Start it before use; stop it to end every process.

    `gate` decides who may invoke what, and each function's process has the rights of its role; without it, all may.
    """

    def __init__(
        self, functions: Mapping[str, Function], settings: HostSettings, gate: Gate | None = None
    ) -> None:
        self.faults = Faults()
        self.settings = settings
        self._gate = gate
        self._callers = gate.grants.callers() if gate is not None else {}
        self._pools = {name: _Pool(function) for name, function in functions.items()}
        self._zygote = Zygote(settings.state / "logs" / "zygote.log", settings.preload)
        self._starting = 0
        self._look: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._api = InvokeApi(self, settings.aws_url, settings.port, settings.session_token)
        self._environment = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": settings.session_token,
            "AWS_ENDPOINT_URL": settings.aws_url,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{settings.port}",
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(settings.port),
            "AWS_APPCONFIG_EXTENSION_HTTP_PORT": str(settings.port),
        }

    async def start(self) -> None:
        """Start the preloaded parent process and the HTTP interface."""
        (self.settings.state / "logs").mkdir(parents=True, exist_ok=True)
        await asyncio.gather(self._zygote.start(), self._api.start())
        self.spawn(self._reap_idle())

    async def stop(self) -> None:
        """End every process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._api.stop()
        await self._zygote.stop()

    def has(self, name: str, qualifier: str | None) -> bool:
        """Whether there is a function of that name, with that alias or version if one is asked for."""
        pool = self._pools.get(name)
        return pool is not None and qualifier in (None, "$LATEST", *pool.function.aliases)

    def snapshot(self) -> list[dict[str, Any]]:
        """Each function that has processes: its name, how many, how many are busy."""
        return [
            {"name": name, "processes": pool.processes, "busy": pool.processes - len(pool.idle)}
            for name, pool in sorted(self._pools.items())
            if pool.processes
        ]

    async def invoke(self, name: str, payload: bytes) -> Answer:
        """Invoke a function and wait. Raises UnknownFunction and TooManyRequests; its own failure is in the answer."""
        pool = self._pools.get(name)
        if pool is None:
            raise UnknownFunction(f"Function not found: {name}")
        if pool.exhausted:
            raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
        pool.in_flight += 1
        stroke = self.faults.begin(name, payload)
        try:
            return await self._run(pool, payload, stroke)
        except InitFailed as failure:
            return Answer(failure.payload, "Unhandled")
        finally:
            pool.in_flight -= 1
            if stroke is not None:
                self.faults.end(stroke)

    def admit(self, key: str, target: str) -> None:
        """Raise Denied unless who has the access key may invoke the function of that name or ARN."""
        if key != OPERATOR and self._gate is not None:
            caller = self._callers.get(key, Caller("nobody", "somebody without credentials"))
            self._gate.check(caller, "lambda:InvokeFunction", _arn(target))

    def admit_service(self, service: str, source: str, target: str) -> None:
        """Raise Denied unless the function's policy lets one of AWS's services invoke it for `source`."""
        if self._gate is not None:
            caller = Caller(service, f"{service} for {source.rsplit(':', 1)[-1]}", source)
            self._gate.check(caller, "lambda:InvokeFunction", _arn(target))

    def admit_role(self, role: str, target: str) -> None:
        """Raise Denied unless the role, which one of AWS's services has taken, may invoke the function."""
        if self._gate is not None:
            self._gate.check(role_caller(role), "lambda:InvokeFunction", _arn(target))

    def key_of(self, name: str) -> str:
        """The access key with which AWS acts for a function: reads its queue."""
        function = self._pools[name].function if name in self._pools else None
        return OPERATOR if self._gate is None or function is None else access_key(role_caller(function.role))

    def invoke_later(self, name: str, payload: bytes) -> None:
        """Invoke asynchronously, with the retries that Lambda gives. Raises UnknownFunction."""
        if name not in self._pools:
            raise UnknownFunction(f"Function not found: {name}")
        self.spawn(self._invoke_with_retries(name, payload))

    async def warm(self) -> None:
        """Start a process of each hot function while nobody waits for one, so that the first callers do not either.

        Hot are those to which the template gives `HOT_MEMORY`.
        """
        for pool in self._pools.values():
            if pool.function.memory < HOT_MEMORY:
                continue
            while self._starting or any(other.waiting for other in self._pools.values()):
                await asyncio.sleep(0.1)
            if pool.processes == 0 and self.processes < self.settings.max_processes:
                self._begin(pool)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else until it ends or the host stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _invoke_with_retries(self, name: str, payload: bytes) -> None:
        pause, retries = 1.0, list(ASYNC_RETRY_SECONDS)
        while True:
            try:
                answer = await self.invoke(name, payload)
            except TooManyRequests:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 60)
                continue
            if answer.error is None or not retries:
                return
            await asyncio.sleep(retries.pop(0))

    async def _run(self, pool: _Pool, payload: bytes, stroke: Stroke | None) -> Answer:
        if stroke is None or stroke.order is not None:
            return await self._in_process(pool, payload, stroke)
        mode, seconds = stroke.fault.mode, stroke.fault.seconds
        if mode == "error":
            return _failure("FaultInjected", "a fault was ordered for this call")
        if mode == "timeout":
            limit = seconds or pool.function.timeout
            await asyncio.sleep(limit)
            return _failure("Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds")
        if mode == "slow":
            await asyncio.sleep(seconds or SLOW_SECONDS)
        if mode == "twice":
            calls = (self._in_process(pool, payload), self._in_process(pool, payload))
            answer, other = await asyncio.gather(*calls, return_exceptions=True)
            if isinstance(answer, BaseException):
                raise answer
            stroke.fired = isinstance(other, Answer)
            return answer
        return await self._in_process(pool, payload, stroke)

    async def _in_process(self, pool: _Pool, payload: bytes, stroke: Stroke | None = None) -> Answer:
        """Run the call in a process, with the faults that concern the process as a whole."""
        mode = stroke.fault.mode if stroke else None
        worker = await self._worker(pool)
        try:
            if mode == "kill_before":
                worker.kill()
                return _failure("Runtime.ExitError", "Runtime exited with error: signal: killed")
            answer = await worker.invoke(payload, stroke)
            if mode == "duplicate" and worker.alive:
                await worker.invoke(payload)
            if mode == "kill_after":
                worker.kill()
                return _failure("Runtime.ExitError", "Runtime exited with error: signal: killed")
            return answer
        finally:
            self._give_back(pool, worker)

    async def _worker(self, pool: _Pool) -> Worker:
        """A process for one call: the warmest idle one, else the first that is freed or started.

        Raises InitFailed, and TooManyRequests when there is none after `queue_seconds` and none is on its way.
        """
        while pool.idle:
            worker = pool.idle.pop()
            if worker.alive:
                return worker
        call = _Waiting(asyncio.get_running_loop().create_future())
        pool.waiting.append(call)
        self._start_where_needed()
        try:
            while not call.worker.done():
                await asyncio.wait([call.worker], timeout=self.settings.queue_seconds)
                if not call.worker.done() and not pool.starting:
                    pool.waiting.remove(call)
                    raise TooManyRequests("ConcurrentInvocationLimitExceeded")
            return call.worker.result()
        except asyncio.CancelledError:
            if call.worker.done() and call.worker.exception() is None:
                self._give_back(pool, call.worker.result())
            call.worker.cancel()
            raise

    def _start_where_needed(self) -> None:
        """Start processes for waiting calls, few at a time: a call that a warm process can take meanwhile, it takes."""
        now = time.monotonic()
        short = [pool for pool in self._pools.values() if len(pool.waiting) > pool.starting]
        for pool in sorted(short, key=lambda pool: pool.waiting[0].since):
            while len(pool.waiting) > pool.starting and self._starting < self.settings.parallel_starts:
                wait = pool.waiting[0].since + PATIENCE_SECONDS * pool.processes - now
                if pool.processes >= EAGER_PROCESSES and wait > 0:
                    self._look_again(wait)
                    break
                if self.processes >= self.settings.max_processes and not self._evict(
                    at_once=pool.processes == 0
                ):
                    self._look_again(PATIENCE_SECONDS)
                    break
                self._begin(pool)

    def _begin(self, pool: _Pool) -> None:
        pool.starting += 1
        pool.processes += 1
        self._starting += 1
        self.spawn(self._start(pool))

    def _look_again(self, seconds: float) -> None:
        def look() -> None:
            self._look = None
            self._start_where_needed()

        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(seconds, look)

    @property
    def processes(self) -> int:
        """How many processes there are, those that are starting included."""
        return sum(pool.processes for pool in self._pools.values())

    async def _start(self, pool: _Pool) -> None:
        worker = Worker(pool.function, self._zygote, self._environment, self.settings.state)
        worker.gone = lambda worker: self._gone(pool, worker)
        failure: InitFailed | None = None
        try:
            if self._gate is not None:
                worker.environment |= sign_in(self._gate, pool.function)
                worker.environment |= credentials(pool.function, self.settings.session_token)
            await worker.start()
        except Denied as denied:
            worker.kill()
            self._gone(pool, worker)
            failure = InitFailed(_failure("AccessDeniedException", str(denied)).payload)
        except InitFailed as error:
            failure = error
        finally:
            pool.starting -= 1
            self._starting -= 1
        if failure is None:
            self._give_back(pool, worker)
        elif call := _next_call(pool):
            call.set_exception(failure)
        self._start_where_needed()

    def _give_back(self, pool: _Pool, worker: Worker) -> None:
        """Hand the process to a waiting call, or keep it warm."""
        if not worker.alive:
            self._start_where_needed()
        elif call := _next_call(pool):
            call.set_result(worker)
        else:
            worker.idle_since = time.monotonic()
            pool.idle.append(worker)
            if any(other.waiting for other in self._pools.values()):
                self._start_where_needed()

    def _gone(self, pool: _Pool, worker: Worker) -> None:
        pool.processes -= 1
        if worker in pool.idle:
            pool.idle.remove(worker)

    def _evict(self, *, at_once: bool) -> bool:
        """End the process that has been idle longest; False if none has rested, or `at_once`, if none is idle."""
        idle = [pool.idle[0] for pool in self._pools.values() if pool.idle]
        longest = min(idle, key=lambda worker: worker.idle_since, default=None)
        if longest is None or (not at_once and longest.idle_since > time.monotonic() - RESTED_SECONDS):
            return False
        longest.kill()
        return True

    async def _reap_idle(self) -> None:
        while True:
            await asyncio.sleep(min(30.0, self.settings.idle_seconds))
            before = time.monotonic() - self.settings.idle_seconds
            for pool in self._pools.values():
                for worker in [worker for worker in pool.idle if worker.idle_since < before]:
                    worker.kill()


def _arn(target: str) -> str:
    """The ARN of a function, from its name or ARN, with or without a qualifier."""
    return target if target.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{target}"


def _next_call(pool: _Pool) -> asyncio.Future[Worker] | None:
    while pool.waiting:
        call = pool.waiting.popleft()
        if not call.worker.done():
            return call.worker
    return None


def _failure(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorMessage": message, "errorType": kind}).encode(), "Unhandled")
