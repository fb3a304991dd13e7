"""The cache: faster when there, never needed."""

import pytest

from local.valkey import Valkey
from shared import cache as cache_module
from shared.cache import Cache


def test_values_and_fields_come_back(cache: Valkey) -> None:
    kept = Cache("auth")

    kept.set("event:1", {"name": "Gala"}, seconds=60)
    assert kept.get("event:1") == {"name": "Gala"}
    assert kept.get("event:2") is None
    assert kept.set_field("session:1", "a", "revoked", seconds=60)
    assert kept.set_field("session:1", "a", "active", seconds=60, unless="revoked")
    assert kept.field("session:1", "a") == "revoked"
    assert kept.drop("event:1")
    assert kept.get("event:1") is None
    assert kept.ping()


def test_a_hash_ends_when_its_first_field_does_unless_a_later_one_must_last(cache: Valkey) -> None:
    kept = Cache("auth")
    kept.set_field("session:1", "a", "active", seconds=60)

    kept.set_field("session:1", "b", "active", seconds=600)
    kept.set_field("session:1", "b", "revoked", seconds=600, at_least=30)
    assert kept._client.ttl("session:1") <= 60

    kept.set_field("session:1", "a", "revoked", seconds=600, at_least=61)
    assert kept._client.ttl("session:1") > 60


def test_without_redis_nothing_is_cached_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_HOST", "127.0.0.1")
    monkeypatch.setenv("CACHE_PORT", "9")
    away = Cache("auth")

    away.set("event:1", {"name": "Gala"}, seconds=60)
    assert away.get("event:1") is None
    assert away.field("session:1", "a") is None
    assert not away.drop("event:1")
    assert not away.ping()


def test_a_redis_that_is_away_is_left_alone_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def connect() -> None:
        tried.append(1)
        raise ConnectionError

    monkeypatch.setattr(cache_module, "_connect", connect)
    away = Cache("auth")

    for _ in range(3):
        assert away.get("event:1") is None

    assert len(tried) == 1, "or each request would wait for it again and again"


def test_redis_is_used_again_when_it_is_back(cache: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    port = str(cache.port)
    monkeypatch.setenv("CACHE_PORT", "9")
    kept = Cache("auth")
    assert kept.get("event:1") is None

    monkeypatch.setenv("CACHE_PORT", port)
    kept.reset()
    kept.set("event:1", 1, seconds=60)

    assert kept.get("event:1") == 1
