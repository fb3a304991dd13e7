"""The migrations reach a service's server as its administrator, and know that it is that server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from functions.platform import instance
from tests.cloud import Extension

SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:admin"


@pytest.fixture
def trust_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """RDS's trust store on the loopback; it answers with the status in the list."""
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[0])
            self.end_headers()
            self.wfile.write(b"certificates")

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setattr(instance, "RDS_AUTHORITIES", f"http://127.0.0.1:{server.server_port}/bundle.pem")
    yield statuses
    server.shutdown()
    server.server_close()


@pytest.fixture
def secret(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETS_ADMIN_SECRET_ARN", SECRET)
    monkeypatch.setenv("TICKETS_ADMIN_HOST", "db.example.com")
    monkeypatch.setenv("ADMIN_PORT", "5432")
    extension.secrets[SECRET] = {"username": "box_office_admin", "password": "p"}


@pytest.mark.usefixtures("trust_store", "secret")
def test_the_server_has_to_prove_who_it_is() -> None:
    parameters = instance.administrator("tickets")

    assert (parameters["host"], parameters["port"]) == ("db.example.com", 5432)
    assert (parameters["user"], parameters["password"]) == ("box_office_admin", "p")
    assert parameters["sslmode"] == "verify-full"
    assert Path(parameters["sslrootcert"]).read_bytes() == b"certificates"


@pytest.mark.usefixtures("secret")
def test_without_the_authorities_nothing_is_migrated(trust_store: list[int]) -> None:
    trust_store[:] = [404]

    with pytest.raises(ConnectionError, match="404"):
        instance.administrator("tickets")


@pytest.mark.usefixtures("secret")
def test_on_a_laptop_nothing_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETS_ADMIN_HOST", "127.0.0.1")

    assert instance.administrator("tickets")["sslmode"] == "disable"
