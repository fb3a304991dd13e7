"""Faults at named points of a function's run: the process dies, fails, waits or hangs there and nowhere else."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from local.fault_points import POINTS
from local.faults import Fault, FaultError
from local.lambdas import LambdaHost
from local.ports import free_port
from tests.small_cloud import function, hosted, run

CALLER = """
    import os, urllib.request
    def handler(event, context):
        assert context.client_context is None
        note("begun")
        for number in range(event.get("calls", 1)):
            try:
                with urllib.request.urlopen(os.environ["PROVIDER"], timeout=5) as answer:
                    note(f"called {answer.status}")
            except OSError as error:
                note(type(error.reason if hasattr(error, "reason") else error).__name__)
        return {"pid": os.getpid()}
    def note(text):
        with open(os.environ["NOTES"], "a") as file:
            file.write(text + "\\n")
"""


class Provider:
    """A provider that counts its requests, and a function that calls it and notes what it does."""

    def __init__(self, host: LambdaHost, notes: Path) -> None:
        self.host, self._notes = host, notes
        self.requests = 0

    async def call(self, fault: dict[str, Any] | None = None, **event: Any) -> Any:
        """Invoke the function once under this fault: what it answered."""
        if fault is not None:
            self.host.faults.add([Fault.parse({"target": "caller", **fault})])
        return json.loads((await self.host.invoke("caller", json.dumps(event).encode())).payload)

    @property
    def notes(self) -> list[str]:
        """What the function noted, forgotten with this."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        self._notes.write_text("")
        return lines


@asynccontextmanager
async def calling(folder: Path, **options: Any) -> AsyncIterator[Provider]:
    port, notes = free_port(), folder / "notes"
    environment = {"PROVIDER": f"http://127.0.0.1:{port}/", "NOTES": str(notes)}
    caller = function(folder, "caller", CALLER, environment=environment, **options)
    async with hosted(folder, [caller]) as host:
        provider = Provider(host, notes)

        async def answer(_: web.Request) -> web.Response:
            provider.requests += 1
            return web.Response(text="ok")

        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield provider
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("point", "noted", "requests"),
    [
        ("entry", [], 0),
        ("before_call", ["begun"], 0),
        ("after_call", ["begun"], 1),
        ("before_answer", ["begun", "called 200"], 1),
    ],
)
def test_a_process_is_killed_at_the_point_and_the_next_call_has_a_new_one(
    tmp_path: Path, point: str, noted: list[str], requests: int
) -> None:
    async def scenario() -> None:
        async with calling(tmp_path) as provider:
            answer = await provider.call({"mode": "kill", "point": point})
            assert answer["errorType"] == "Runtime.ExitError"
            assert "SIGKILL" in answer["errorMessage"]
            assert (provider.notes, provider.requests) == (noted, requests)
            assert "pid" in await provider.call()
            assert provider.notes == ["begun", "called 200"]
            assert provider.host.faults.pending() == []

    run(scenario())


def test_the_nth_time_counts_within_a_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with calling(tmp_path) as provider:
            await provider.call({"mode": "kill", "point": "before_call", "nth": 2}, calls=1)
            assert len(provider.host.faults.pending()) == 1, "one call was made: the fault waits for a second"
            await provider.call(calls=3)
            assert (provider.requests, provider.host.faults.pending()) == (2, [])

    run(scenario())


def test_an_error_at_a_call_is_a_broken_connection(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with calling(tmp_path) as provider:
            await provider.call({"mode": "error", "point": "before_call"})
            assert (provider.notes, provider.requests) == (["begun", "ConnectionRefusedError"], 0)
            await provider.call({"mode": "error", "point": "after_call"})
            assert (provider.notes, provider.requests) == (["begun", "ConnectionResetError"], 1)
            answer = await provider.call({"mode": "error", "point": "before_answer"})
            assert answer["errorType"] == "FaultInjected"
            assert provider.notes == ["begun", "called 200"]

    run(scenario())


def test_hanging_ends_with_the_time_out_and_slowness_with_an_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with calling(tmp_path, timeout=1.0) as provider:
            for seconds in ({"seconds": 0.2}, {}):
                answer = await provider.call({"mode": "hang", "point": "after_call", **seconds})
                assert answer["errorType"] == "Sandbox.Timedout"
                assert f"timed out after {seconds.get('seconds', 1.0):.2f} seconds" in answer["errorMessage"]
            began = time.monotonic()
            assert "pid" in await provider.call({"mode": "slow", "point": "before_call", "seconds": 0.5})
            assert time.monotonic() - began >= 0.5

    run(scenario())


def test_a_watched_call_tells_which_points_it_reached(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with calling(tmp_path) as provider:
            order_id = str(uuid4())
            await provider.call({"mode": "watch"}, calls=2, orderId=order_id, again=order_id)
            await provider.call({"mode": "kill", "point": "after_call"}, calls=2)
            watched, killed = (stroke.json() for stroke in provider.host.faults.strokes())
            assert watched["reached"] == {"entry": 1, "before_call": 2, "after_call": 2, "before_answer": 1}
            assert (watched["about"], killed["about"]) == ([order_id], [])
            assert (killed["mode"], killed["point"], killed["fired"]) == ("kill", "after_call", True)
            assert killed["reached"] == {"entry": 1, "before_call": 1, "after_call": 1}

    run(scenario())


def test_twice_at_once_is_two_processes_and_one_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with calling(tmp_path) as provider:
            assert "pid" in await provider.call({"mode": "twice"})
            assert provider.requests == 2
            assert provider.host.snapshot()[0]["processes"] == 2
            await provider.call()
            assert provider.requests == 3

    run(scenario())


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "kill"},
        {"mode": "kill", "point": "somewhere"},
        {"mode": "kill_after", "point": POINTS[0]},
        {"mode": "error", "point": "entry"},
        {"mode": "kill", "point": POINTS[0], "nth": 0},
        {"mode": "kill", "point": POINTS[0], "seconds": 1},
        {"mode": "slow", "seconds": -1},
        {"mode": "slow", "nth": 2},
    ],
)
def test_a_point_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        Fault.parse({"target": "caller", **wrong})
