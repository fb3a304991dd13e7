"""Synchronous calls between services: over the public API, for a user, with that user's token, 5 s in all.

Sagas and consumers make none; they live on copies kept by events.
"""

import json
import os
from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from shared import parameters
from shared.breaker import Breaker
from shared.cache import Cache
from shared.errors import NotFound, Unavailable
from shared.identity import User
from shared.settings import Setting

TIMEOUT_SECONDS = Setting("call_timeout_seconds", 5, "Seconds that a call to another service may take in all")
CIRCUIT_FAILURES = Setting(
    "call_circuit_failures", 5, "Failed calls in a row after which another service is left alone"
)
CIRCUIT_SECONDS = Setting(
    "call_circuit_seconds", 30, "Seconds for which another service that failed is left alone"
)


class Refused(Unavailable):
    """503: the other service works, and will not have this call (its 4xx)."""


def get(dependency: str, path: str, *, user: User | None = None, **query: Any) -> dict[str, Any]:
    """GET `path` of another service, unless it has failed so often that it is left alone.

    Args:
        dependency: the other service's name, for its circuit, logs and errors.
        user: whose token goes along; None for a public route.

    Raises:
        NotFound: it answered 404.
        Unavailable: it did not answer in time, or with an error, or was not asked.
    """
    api_url()  # no fault of the other service, should Parameter Store be away
    return _breaker(dependency)(lambda: ask(dependency, path, user=user, **query))


def ask(dependency: str, path: str, *, user: User | None = None, **query: Any) -> dict[str, Any]:
    """As `get`, whatever has happened before: for those who want to know how the other service is."""
    url = api_url() + path + (f"?{urlencode(query)}" if query else "")
    headers = {"Authorization": f"Bearer {user.token}"} if user else {}
    seconds = TIMEOUT_SECONDS()
    try:
        status, data = _within(seconds, lambda: _request(url, headers, seconds))
    except Exception as broken:  # urllib3's errors have no narrower base for time-outs and refusals alike
        raise Unavailable(dependency) from broken
    if status == 404:
        raise NotFound()
    if status != 200:
        raise (Refused if 400 <= status < 500 and status != 429 else Unavailable)(dependency)
    body: dict[str, Any] = json.loads(data)
    return body


def _request(url: str, headers: dict[str, str], seconds: float) -> tuple[int, bytes]:
    from urllib3 import Timeout

    answer = _pool().request("GET", url, headers=headers, timeout=Timeout(total=seconds), retries=False)
    return answer.status, answer.data


def _within(seconds: float, call: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    """What `call` answers, if it does so in time.

    A client's time-out is for each piece of an answer, and one that drips comes piece by piece for ever. Nothing but
    another thread can be left behind in the middle of a name lookup, a header or a body.
    """
    outcome: list[tuple[int, bytes] | Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as broken:  # noqa: BLE001  # raised again below
            outcome.append(broken)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _counts(error: Exception) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Refused)


@cache
def _breaker(dependency: str) -> Breaker:
    return Breaker(
        f"calls.{dependency}",
        _cache(),
        failures=CIRCUIT_FAILURES,
        open_seconds=CIRCUIT_SECONDS,
        counts=_counts,
    )


@cache
def _cache() -> Cache:
    return Cache(os.environ.get("POWERTOOLS_SERVICE_NAME", "shared"))


def forget() -> None:
    """What a process reads once and keeps, its circuits too: read it again."""
    api_url.cache_clear()
    _breaker.cache_clear()
    _cache.cache_clear()


@cache
def api_url() -> str:
    """The public address, at which services and everybody else reach the API."""
    return parameters.parameter("api_url").rstrip("/")


@cache
def _pool() -> Any:
    import urllib3

    return urllib3.PoolManager(maxsize=5)  # of the whole system's health all five services are asked at once
