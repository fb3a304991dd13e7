"""Redis: faster when it is there, never needed. Every call falls back to "not cached" when it is slow or gone.

Keys and TTLs are the design document's; who caches says what it may be stale by. No command spans two keys, so the same
code runs on one node and on a cluster.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from shared.database import LOOPBACK
from shared.log import logger

T = TypeVar("T")
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 1.0

# One key, so it runs on a cluster; a script, because nothing may come between the look and the write.
_SET_FIELD = """
    if ARGV[4] ~= '' and redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[4] then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    if redis.call('PTTL', KEYS[1]) < 1000 * ARGV[5] then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
    return 1
"""


class Cache:
    """The connection of this process to Redis. After a failure, which is counted, it is left alone for a second."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._log = logger(service)
        self._client: Any = None
        self._away_until = 0.0

    def get(self, key: str) -> Any:
        """The JSON value under `key`, or None."""
        text = self._try(lambda client: client.get(key))
        return None if text is None else json.loads(cast("bytes", text))

    def set(self, key: str, value: Any, *, seconds: int) -> None:
        """Keep a JSON value for so many seconds."""
        self._try(lambda client: client.set(key, json.dumps(value), ex=seconds))

    def drop(self, *keys: str) -> bool:
        """Forget the keys; False if Redis could not be told."""
        told = True
        for key in keys:
            told &= self._try(partial(_delete, key)) is not None
        return told

    def field(self, key: str, field: str) -> str | None:
        """One field of the hash under `key`, or None."""
        value = self._try(lambda client: client.hget(key, field))
        return None if value is None else cast("bytes", value).decode()

    def set_field(
        self, key: str, field: str, value: str, *, seconds: int, unless: str | None = None, at_least: int = 0
    ) -> bool:
        """Set one field of a hash that lives for so many seconds from its first field on.

        Args:
            unless: a value that is final: a field that holds it stays as it is.
            at_least: a hash that would end sooner than in so many seconds begins its life again.

        Returns:
            False if Redis could not be told.
        """
        arguments = (field, value, seconds, "" if unless is None else unless, at_least)
        return self.run(_SET_FIELD, key, *arguments) is not None

    def run(self, script: str, key: str, *arguments: str | int) -> Any:
        """Run a Lua script on one key; what it returns, or None if Redis did not answer. A script returns no nil."""
        return self._try(lambda client: client.eval(script, 1, key, *arguments))

    def drop_field(self, key: str, field: str) -> bool:
        """Forget one field of a hash; False if Redis could not be told."""
        return self._try(lambda client: client.hdel(key, field)) is not None

    def ping(self) -> bool:
        """Whether Redis answers now."""
        self._away_until = 0.0
        return bool(self._try(lambda client: client.ping()))

    def reset(self) -> None:
        """Forget the connection; the next call makes a new one from the environment."""
        self._client, self._away_until = None, 0.0

    def _try(self, command: Callable[[Any], T]) -> T | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            if self._client is None:
                self._client = _connect()
            return command(self._client)
        except Exception as broken:  # noqa: BLE001  # whatever Redis or its client does must not fail a request
            self._client, self._away_until = None, time.monotonic() + PAUSE_SECONDS
            self._count(broken)
            return None

    def _count(self, broken: Exception) -> None:
        """At most one a second from each process, so that the metric says for how long rather than how busily."""
        from shared import metrics

        self._log.warning("cache unavailable", extra={"error": type(broken).__name__})
        metrics.count(self.service, "CacheUnavailable")


def _delete(key: str, client: Any) -> Any:
    return client.delete(key)


def _connect() -> Any:
    from redis.backoff import NoBackoff
    from redis.cluster import RedisCluster
    from redis.retry import Retry

    host, port = os.environ["CACHE_HOST"], int(os.environ["CACHE_PORT"])
    security: dict[str, Any] = {}
    if host not in LOOPBACK:
        from shared.cache_credentials import IamCredentials

        security = {"ssl": True, "credential_provider": IamCredentials(os.environ["CACHE_USER"])}
    return RedisCluster(
        host=host,
        port=port,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        dynamic_startup_nodes=False,
        **security,
    )
