"""Many who call through one circuit at the same moment: no failure is lost, and one of them probes."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.valkey import Valkey
from shared.breaker import Breaker, CircuitOpen
from shared.cache import Cache
from shared.settings import Setting

CROWD = 16
KEY = "breaker:test.crowd"


class Broken(Exception):
    """The other side does not work."""


class WithoutScripts(Breaker):
    """The guard off: each script in two steps, a look and a write, with everybody looking before anybody writes."""

    looked = threading.Barrier(CROWD)

    def _enter(self, probe: str) -> float:
        wait = super()._enter("")
        self.looked.wait(timeout=30)
        self._cache.set_field(KEY, "probe_until", "99999999999999", seconds=60)
        return wait

    def _failed(self, probe: str) -> None:
        failures = int(self._cache.field(KEY, "failures") or 0)
        self.looked.wait(timeout=30)
        self._cache.set_field(KEY, "failures", str(failures + 1), seconds=60)


def a_breaker(kind: type[Breaker] = Breaker, *, failures: int = 1, open_seconds: int = 0) -> Breaker:
    """A breaker as another process would have it: with a connection of its own."""
    return kind(
        "test.crowd",
        Cache("payments"),
        failures=Setting("test_failures", failures, ""),
        open_seconds=Setting("test_open_seconds", open_seconds, ""),
        counts=lambda error: True,
    )


def fail(breaker: Breaker) -> None:
    def call() -> None:
        raise Broken()

    with pytest.raises(Broken):
        breaker(call)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What they answer, or the circuit's refusal; none starts before all are there."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        try:
            return call()
        except CircuitOpen as refused:
            return refused

    with ThreadPoolExecutor(len(calls)) as crowd:
        return list(crowd.map(run, calls))


def probed(kind: type[Breaker]) -> int:
    """How many of a crowd are let through when a probe is due, and nobody has answered yet."""
    fail(a_breaker())
    inside: list[int] = []
    asked = threading.Barrier(CROWD)

    def call() -> None:
        inside.append(1)
        asked.wait(timeout=30)  # nobody answers before all have asked

    def ask(breaker: Breaker) -> Callable[[], None]:
        def attempt() -> None:
            try:
                breaker(call)
            except CircuitOpen:
                asked.wait(timeout=30)
                raise

        return attempt

    def connected() -> Breaker:
        breaker = a_breaker(kind)
        breaker._cache.ping()
        return breaker

    at_once([ask(connected()) for _ in range(CROWD)])
    return len(inside)


def test_one_of_a_crowd_probes(cache: Valkey) -> None:
    assert probed(Breaker) == 1


def test_without_the_script_a_crowd_probes(cache: Valkey) -> None:
    assert probed(WithoutScripts) > 1


def test_so_many_failures_open_a_circuit_and_none_is_lost(cache: Valkey) -> None:
    breakers = [a_breaker(failures=CROWD + 1, open_seconds=60) for _ in range(CROWD)]

    at_once([lambda breaker=breaker: fail(breaker) for breaker in breakers])  # type: ignore[misc]
    assert not breakers[0].is_open()
    fail(breakers[0])

    assert breakers[1].is_open()


def test_without_the_script_failures_are_lost(cache: Valkey) -> None:
    breakers = [a_breaker(WithoutScripts, failures=CROWD + 1, open_seconds=60) for _ in range(CROWD)]

    at_once([lambda breaker=breaker: fail(breaker) for breaker in breakers])  # type: ignore[misc]

    assert int(Cache("test").field(KEY, "failures") or 0) < CROWD


PROCESS = """
import sys
from shared.breaker import Breaker, CircuitOpen
from shared.cache import Cache
from shared.settings import Setting

one, none = Setting("failures", 1, ""), Setting("open_seconds", 0, "")
breaker = Breaker("test.crowd", Cache("payments"), failures=one, open_seconds=none, counts=lambda error: True)
breaker._cache.ping()
print("ready", flush=True)
sys.stdin.readline()

def call():
    print("probing", flush=True)
    sys.stdin.readline()  # until all the others have asked

try:
    breaker(call)
except CircuitOpen:
    print("refused", flush=True)
"""


def test_one_of_many_processes_probes(cache: Valkey) -> None:
    fail(a_breaker())
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        for _ in range(6)
    ]
    try:
        assert [_line(process) for process in crowd] == ["ready"] * 6
        for process in crowd:
            _tell(process)
        said = [_line(process) for process in crowd]
    finally:
        for process in crowd:
            process.kill()
            process.communicate()

    assert sorted(said) == ["probing"] + ["refused"] * 5


def _tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
