"""GET /api/health/auth: whether the service can serve."""

import pytest

from functions.auth.cache import cache
from functions.auth.database import database
from tests.people import Desk


def test_all_is_well(desk: Desk) -> None:
    reply = desk.ask("health")

    assert reply.status == 200
    assert reply.body == {
        "service": "auth",
        "status": "ok",
        "dependencies": {"database": "ok", "cache": "ok"},
    }


def test_without_redis_it_serves_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_PORT", "9")
    cache.reset()

    reply = desk.ask("health")

    assert (reply.status, reply.body["dependencies"]["cache"]) == (200, "down")


def test_without_postgresql_it_cannot_serve(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PORT", "9")
    database.reset()

    reply = desk.ask("health")

    assert (reply.status, reply.code) == (503, "SERVICE_UNAVAILABLE")
    assert {"field": "database", "message": "down"} in reply.body["error"]["details"]
    assert "Retry-After" in reply.headers
