"""Away from a developer's machine, PostgreSQL and Valkey are reached by TLS, and who answers is checked."""

from typing import Any

import psycopg2
import pytest
import redis.cluster

from shared.cache import Cache
from shared.database import Database
from shared.errors import Unavailable


class Noted(Exception):
    """Stops a connection before it is made."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments of the last connection."""
    noted: dict[str, Any] = {}

    def connect(**arguments: Any) -> None:
        noted.update(arguments)
        raise psycopg2.OperationalError

    monkeypatch.setattr(psycopg2, "connect", connect)
    monkeypatch.setattr(redis.cluster, "RedisCluster", connect)
    for part, value in {"HOST": "proxy.example", "PORT": "5432", "USER": "u", "NAME": "n"}.items():
        monkeypatch.setenv(f"DATABASE_{part}", value)
        monkeypatch.setenv(f"CACHE_{part}", value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return noted


def test_postgresql_is_verified_by_name_and_signed_in_to_with_a_token(asked: dict[str, Any]) -> None:
    with pytest.raises(Unavailable), Database("auth").reading() as sql:
        sql.one("SELECT 1")
    assert asked["sslmode"] == "verify-full"
    assert asked["sslrootcert"].endswith(".pem")
    assert "X-Amz-Signature" in asked["password"]


def test_valkey_is_reached_by_tls_and_signed_in_to_with_a_token(asked: dict[str, Any]) -> None:
    assert Cache("auth").get("key") is None
    assert asked["ssl"] is True
    assert "ssl_cert_reqs" not in asked  # the client's own default: required
    assert asked["credential_provider"]


def test_the_client_checks_certificates_unless_told_otherwise() -> None:
    connection = redis.SSLConnection(host="cache.example")
    assert connection.cert_reqs.name == "CERT_REQUIRED"
    assert connection.check_hostname is True
