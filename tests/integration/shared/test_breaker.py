"""A circuit: open after so many failures in a row, probed once when its time is over, and never in Redis's way."""

import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import ports
from local.processes import Processes
from local.valkey import Valkey
from shared.breaker import PROBE_SECONDS, Breaker, CircuitOpen
from shared.cache import Cache
from shared.settings import Setting


class Broken(Exception):
    """The other side does not work."""


class Declined(Exception):
    """The other side works, and says no."""


def a_breaker(*, failures: int = 3, open_seconds: int = 60, name: str = "test.provider") -> Breaker:
    """A breaker as another process would have it: with a connection of its own."""
    return Breaker(
        name,
        Cache("payments"),
        failures=Setting("test_failures", failures, ""),
        open_seconds=Setting("test_open_seconds", open_seconds, ""),
        counts=lambda error: isinstance(error, Broken),
    )


def fail(breaker: Breaker, times: int = 1, error: type[Exception] = Broken) -> None:
    for _ in range(times):
        with pytest.raises(error):
            breaker(raising(error))


def raising(error: type[Exception]) -> Callable[[], None]:
    def call() -> None:
        raise error()

    return call


def never() -> None:
    pytest.fail("called through an open circuit")


@pytest.fixture(params=["shared", "alone"])
def _redis(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Redis, and without it."""
    if request.param == "shared":
        request.getfixturevalue("cache")
    else:
        monkeypatch.setenv("CACHE_HOST", "127.0.0.1")
        monkeypatch.setenv("CACHE_PORT", "9")


@pytest.mark.usefixtures("_redis")
class TestACircuit:
    """The rules hold with Redis and, for one process, without."""

    def test_is_opened_by_so_many_failures_in_a_row_and_no_less(self) -> None:
        breaker = a_breaker(failures=3)

        fail(breaker, 2)
        assert not breaker.is_open()
        fail(breaker)

        assert breaker.is_open()
        with pytest.raises(CircuitOpen) as refused:
            breaker(never)
        assert refused.value.status == 503
        assert refused.value.retry_after in (59, 60)
        assert refused.value.dependency == "test.provider"

    def test_forgets_failures_when_a_call_succeeds(self) -> None:
        breaker = a_breaker(failures=3)

        fail(breaker, 2)
        assert breaker(lambda: "well") == "well"
        fail(breaker, 2)

        assert not breaker.is_open()

    def test_takes_an_answer_that_says_no_for_an_answer(self) -> None:
        breaker = a_breaker(failures=3)

        fail(breaker, 2)
        fail(breaker, 5, Declined)
        fail(breaker, 2)

        assert not breaker.is_open()

    def test_is_closed_by_a_probe_that_succeeds(self) -> None:
        breaker = a_breaker(failures=2, open_seconds=0)
        fail(breaker, 2)

        assert breaker(lambda: "well") == "well"
        fail(breaker)

        assert not breaker.is_open()
        assert breaker(lambda: "still well") == "still well"

    def test_is_opened_again_by_a_single_probe_that_fails(self) -> None:
        seconds = Setting("test_open_seconds", 0, "")
        breaker = a_breaker(failures=3)
        breaker._open_seconds = seconds
        fail(breaker, 3)
        assert not breaker.is_open()  # a probe is due

        seconds.default = 60
        fail(breaker)

        assert breaker.is_open()

    def test_lets_nobody_through_beside_a_probe(self) -> None:
        breaker = a_breaker(failures=1, open_seconds=0)
        fail(breaker)

        def probe() -> str:
            with pytest.raises(CircuitOpen):
                breaker(never)
            assert breaker.is_open()
            return "well"

        assert breaker(probe) == "well"
        assert not breaker.is_open()

    def test_is_asked_about_without_being_probed(self) -> None:
        breaker = a_breaker(failures=1, open_seconds=0)
        fail(breaker)

        assert [breaker.is_open() for _ in range(3)] == [False] * 3
        assert breaker(lambda: "well") == "well"

    def test_counts_its_openings(self, capsys: pytest.CaptureFixture[str]) -> None:
        breaker = a_breaker(failures=2)

        fail(breaker, 2)

        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        counted = [line for line in lines if "CircuitOpened" in line]
        assert [(line["service"], line["circuit"]) for line in counted] == [("payments", "test.provider")]


def test_what_one_process_learns_holds_for_all(cache: Valkey) -> None:
    ours, theirs, another = a_breaker(), a_breaker(), a_breaker(name="test.other")

    fail(ours, 2)
    fail(theirs)

    assert ours.is_open()
    assert theirs.is_open()
    assert not another.is_open()


def test_a_probe_that_is_never_heard_of_again_is_lost_after_its_lease(cache: Valkey) -> None:
    breaker = a_breaker(failures=1, open_seconds=0)
    fail(breaker)
    breaker._enter("a process that died")
    with pytest.raises(CircuitOpen) as refused:
        breaker(never)
    assert refused.value.retry_after in range(PROBE_SECONDS - 10, PROBE_SECONDS + 1)

    Cache("test").run("redis.call('HSET', KEYS[1], 'probe_until', 1) return 1", "breaker:test.provider")

    assert breaker(lambda: "well") == "well"


def test_a_call_from_before_the_circuit_opened_neither_closes_nor_prolongs_it(cache: Valkey) -> None:
    breaker, others = a_breaker(failures=2), a_breaker(failures=2)

    def slow() -> str:
        fail(others, 2)
        return "answered late"

    assert breaker(slow) == "answered late"
    assert others.is_open()
    left = Cache("test").field("breaker:test.provider", "open_until")

    others._failed("late as well")

    assert Cache("test").field("breaker:test.provider", "open_until") == left


def test_a_circuit_forgets_in_the_end(cache: Valkey) -> None:
    fail(a_breaker(failures=2))
    assert 3500 < Cache("test").run("return redis.call('TTL', KEYS[1])", "breaker:test.provider") <= 3600


def test_when_redis_stops_each_process_goes_by_what_it_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with stoppable_valkey() as (valkey, stop):
        monkeypatch.setenv("CACHE_HOST", valkey.host)
        monkeypatch.setenv("CACHE_PORT", str(valkey.port))
        hit, spared, opened = a_breaker(), a_breaker(), a_breaker(name="test.other")
        fail(hit, 2)
        fail(opened, 3)

        stop()

        assert not hit.is_open()
        assert opened.is_open()
        fail(hit)
        assert hit.is_open()
        assert spared(lambda: "well") == "well"


def test_redis_may_stop_while_a_call_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with stoppable_valkey() as (valkey, stop):
        monkeypatch.setenv("CACHE_HOST", valkey.host)
        monkeypatch.setenv("CACHE_PORT", str(valkey.port))
        breaker = a_breaker(failures=1)

        def call() -> None:
            stop()
            raise Broken()

        with pytest.raises(Broken):
            breaker(call)

        assert breaker.is_open()


@contextmanager
def stoppable_valkey() -> Iterator[tuple[Valkey, Callable[[], None]]]:
    """A Valkey of one's own, and what stops it."""
    with tempfile.TemporaryDirectory(prefix="box-office-valkey-") as folder:
        processes = Processes(Path(folder))
        valkey = Valkey(Path(folder) / "valkey", ports.free_port(), ports.free_port())
        valkey.start(processes).wait_until(valkey.is_ready)

        def stop() -> None:
            processes.stop_all()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((valkey.host, valkey.port), timeout=1)

        try:
            yield valkey, stop
        finally:
            processes.stop_all()
