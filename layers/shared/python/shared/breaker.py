"""A circuit breaker: whoever fails again and again is left alone for a while, then asked once before all ask again.

What a circuit knows is one Redis hash, by Redis's clock, so that all processes share it: after so many failures in a
row it is open; when its time is over one caller probes, under a lease, and the probe's outcome closes the circuit or
opens it again. Every process counts its own calls as well, and goes by that while Redis is away: a breaker never fails
because of Redis.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar, cast
from uuid import uuid4

from shared.cache import Cache
from shared.errors import Unavailable
from shared.log import logger
from shared.metrics import count
from shared.settings import Setting

T = TypeVar("T")

PROBE_SECONDS = 30
"""A probe that has not been heard of for so long is lost, and the next caller probes."""

FORGOTTEN_SECONDS = 3600
"""A circuit of which nothing is heard for so long is closed, and its failures are forgotten."""

_NOW = """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local function field(name) return tonumber(redis.call('HGET', KEYS[1], name) or '0') end
"""

# Answers the milliseconds to wait: 0 is "closed", -1 is "you are the probe" (or, without a name, "one is due").
_ENTER = f"""
    {_NOW}
    if field('open_until') == 0 then return 0 end
    local wait = math.max(field('open_until'), field('probe_until')) - now
    if wait > 0 then return wait end
    if ARGV[1] ~= '' then
        redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'probe_until', now + ARGV[2])
    end
    return -1
"""

# A circuit that opened while the call was under way is the probe's to close: only the last probe speaks for it.
_SUCCEEDED = """
    local probe = redis.call('HGET', KEYS[1], 'probe')
    if redis.call('HEXISTS', KEYS[1], 'open_until') == 0 or (probe and probe == ARGV[1]) then
        redis.call('DEL', KEYS[1])
    end
    return 0
"""

# Answers 1 if this failure opened the circuit. Failures of calls from before it opened add nothing.
_FAILED = f"""
    {_NOW}
    local opens
    if redis.call('HEXISTS', KEYS[1], 'open_until') == 1 then
        opens = redis.call('HGET', KEYS[1], 'probe') == ARGV[1]
    else
        opens = redis.call('HINCRBY', KEYS[1], 'failures', 1) >= tonumber(ARGV[2])
    end
    if opens then
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'open_until', now + ARGV[3])
    end
    redis.call('EXPIRE', KEYS[1], ARGV[4])
    return opens and 1 or 0
"""


class CircuitOpen(Unavailable):
    """503: not even tried, for it failed too often; Retry-After says when the next try is due."""


@dataclass
class _Own:
    """What this process has seen of a circuit itself, by its own clock (seconds)."""

    failures: int = 0
    open_until: float = 0.0
    probe_until: float = 0.0


class Breaker:
    """One circuit, known to all processes by its name.

    Args:
        name: whom it guards, e.g. `payments.stripe`; it is a dimension of a metric.
        failures: so many in a row open it.
        open_seconds: so long nobody is let through.
        counts: whether an exception of the call means that the other side is broken. Any other one is an answer of it,
            as good as a success here.
    """

    def __init__(
        self,
        name: str,
        cache: Cache,
        *,
        failures: Setting[int],
        open_seconds: Setting[int],
        counts: Callable[[Exception], bool],
    ) -> None:
        self.name = name
        self._cache, self._failures, self._open_seconds, self._counts = cache, failures, open_seconds, counts
        self._key = f"breaker:{name}"
        self._own, self._lock = _Own(), Lock()

    def __call__(self, call: Callable[[], T]) -> T:
        """Call, unless the circuit is open.

        Raises:
            CircuitOpen: it is, and nothing was called.
            Exception: whatever `call` raises.
        """
        probe = str(uuid4())
        wait = self._enter(probe)
        if wait > 0:
            raise CircuitOpen(self.name, retry_after=math.ceil(wait))
        try:
            answer = call()
        except Exception as broken:
            outcome = self._failed if self._counts(broken) else self._succeeded
            outcome(probe)
            raise
        self._succeeded(probe)
        return answer

    def is_open(self) -> bool:
        """Whether a call would be refused now. Nothing is called, and no probe is taken."""
        return self._enter("") > 0

    def check(self) -> None:
        """As `is_open`, for those who would refuse their own caller. Raises CircuitOpen."""
        wait = self._enter("")
        if wait > 0:
            raise CircuitOpen(self.name, retry_after=math.ceil(wait))

    def _enter(self, probe: str) -> float:
        """Seconds to wait; 0 or less: go on. With a `probe`, this call is it if one is due."""
        shared = self._cache.run(_ENTER, self._key, probe, PROBE_SECONDS * 1000)
        if shared is not None:
            return cast(int, shared) / 1000
        with self._lock:
            own, now = self._own, time.monotonic()
            wait = max(own.open_until, own.probe_until) - now if own.open_until else 0.0
            if probe and own.open_until and wait <= 0:
                own.probe_until = now + PROBE_SECONDS
            return wait

    def _succeeded(self, probe: str) -> None:
        self._cache.run(_SUCCEEDED, self._key, probe)
        with self._lock:
            self._own = _Own()

    def _failed(self, probe: str) -> None:
        limit, seconds = max(1, self._failures()), self._open_seconds()
        with self._lock:
            own = self._own
            own.failures += 1
            if opened := (own.failures >= limit and own.open_until <= time.monotonic()):
                own.open_until, own.probe_until = time.monotonic() + seconds, 0.0
        kept = max(FORGOTTEN_SECONDS, 2 * seconds)
        shared = self._cache.run(_FAILED, self._key, probe, limit, seconds * 1000, kept)
        if opened if shared is None else shared:
            logger(self._cache.service).warning("circuit opened", extra={"circuit": self.name})
            count(self._cache.service, "CircuitOpened", circuit=self.name)
