"""The certificate that a webhook points to: fetched from there, and no more of it than one can be long."""

import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from functions.payments.gateways.gateway import BadSignature
from functions.payments.gateways.paypal_webhooks import Certificates
from local.paypal_simulator import certificates

MEGABYTE = 1024 * 1024
ROOT = certificates.issue("root.example", None, is_authority=True)
CHAIN = certificates.pem(certificates.issue("notify.paypal.com", ROOT, is_authority=False)[0]).encode()
PLAIN, MOVED, ENDLESS = (f"/v1/notifications/certs/{name}" for name in ("plain", "moved", "endless"))


class Host:
    """Where certificates lie: one as it should be, one that lies elsewhere, and one with 64 MB of blank lines."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent = 0
        self.done = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                self.send_response(302 if self.path == MOVED else 200)
                if self.path == MOVED:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(CHAIN)
                if self.path == ENDLESS:
                    with suppress(OSError):
                        for _ in range(64):
                            host.sent += self.wfile.write(b"\n" * MEGABYTE)
                    host.done.set()

            def log_message(self, *_: Any) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def host() -> Iterator[Host]:
    running = Host()
    yield running
    running.close()


@pytest.fixture
def known(host: Host) -> Certificates:
    return Certificates(host.url, certificates.pem(ROOT[0]), timeout_seconds=5)


def test_a_certificate_is_fetched_once(host: Host, known: Certificates) -> None:
    assert known.at(host.url + PLAIN) == known.at(host.url + PLAIN)
    assert host.asked == [PLAIN]


def test_whoever_sends_us_elsewhere_is_not_followed(host: Host, known: Certificates) -> None:
    """The certificate there is a good one: only the way to it is not."""
    with pytest.raises(BadSignature):
        known.at(host.url + MOVED)
    assert host.asked == [MOVED]


def test_what_no_certificate_can_be_long_is_not_read(host: Host, known: Certificates) -> None:
    assert known.at(host.url + ENDLESS).subject == known.at(host.url + PLAIN).subject
    assert host.done.wait(10)
    assert host.sent < 32 * MEGABYTE


def test_no_more_certificates_are_kept_than_there_can_be(host: Host, known: Certificates) -> None:
    addresses = [f"{host.url}{PLAIN}{number}" for number in range(25)]
    for address in addresses:
        known.at(address)
    assert len(known._known) == 20
    host.asked.clear()
    known.at(addresses[-1])
    assert len(host.asked) == 1


def at_paypal() -> Certificates:
    """A live account's, for which our root stands in for those that everybody trusts."""
    live = Certificates("https://api-m.paypal.com", None, timeout_seconds=1)
    live.__dict__["_roots"] = [ROOT[0]]
    return live


@pytest.mark.parametrize(
    ("host", "is_believed"),
    [("notify.paypal.com", True), ("notify.paypal.com.evil.example", False), ("notpaypal.com", False)],
)
def test_at_paypal_the_certificate_is_paypal_s(host: str, is_believed: bool) -> None:
    """Anybody can have a certificate that a trusted authority has signed."""
    certificate, _ = certificates.issue(host, ROOT, is_authority=False)
    with nullcontext() if is_believed else pytest.raises(BadSignature):
        at_paypal()._check([certificate])


@pytest.mark.parametrize(("begins", "ends", "is_believed"), [(-2, 2, True), (-2, -1, False), (1, 2, False)])
def test_a_certificate_is_believed_from_its_first_day_to_its_last(
    begins: int, ends: int, is_believed: bool
) -> None:
    at, (root, key) = datetime.now(UTC), ROOT
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "notify.paypal.com")]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at + timedelta(days=begins))
        .not_valid_after(at + timedelta(days=ends))
        .sign(key, hashes.SHA256())
    )
    with nullcontext() if is_believed else pytest.raises(BadSignature):
        at_paypal()._check([certificate])
