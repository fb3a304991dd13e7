"""Synchronous calls between services: over the public API, for a user, with that user's token, 5 s in all.

Sagas and consumers make none; they live on copies kept by events.
"""

import json
import time
from functools import cache
from typing import Any
from urllib.parse import urlencode

from shared import parameters
from shared.errors import AppError, NotFound, Unavailable
from shared.identity import User
from shared.settings import Setting

TIMEOUT_SECONDS = Setting("call_timeout_seconds", 5, "Seconds that a call to another service may take in all")


def get(dependency: str, path: str, *, user: User | None = None, **query: Any) -> dict[str, Any]:
    """GET `path` of another service.

    Args:
        dependency: the other service's name, for logs and errors.
        user: whose token goes along; None for a public route.

    Raises:
        NotFound: it answered 404.
        Unavailable: it did not answer in time, or with an error.
    """
    started = time.monotonic()
    try:
        url = _api_url() + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {user.token}"} if user else {}
        answer = _pool().request("GET", url, headers=headers, timeout=_remaining(started), retries=False)
    except AppError:
        raise
    except Exception as broken:  # urllib3's errors have no narrower base for time-outs and refusals alike
        raise Unavailable(dependency) from broken
    if answer.status == 404:
        raise NotFound()
    if answer.status != 200:
        raise Unavailable(dependency)
    body: dict[str, Any] = json.loads(answer.data)
    return body


def _remaining(started: float) -> Any:
    from urllib3 import Timeout

    return Timeout(total=max(0.1, TIMEOUT_SECONDS() - (time.monotonic() - started)))


@cache
def _api_url() -> str:
    return parameters.parameter("api_url").rstrip("/")


@cache
def _pool() -> Any:
    import urllib3

    return urllib3.PoolManager(maxsize=2)
