"""What PayPal sends is believed if PayPal signed it, for our endpoint and not long ago."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.payments.gateways.gateway import (
    BadSignature,
)
from functions.payments.gateways.paypal_gateway import PayPalGateway
from functions.payments.gateways.paypal_webhooks import Certificates
from local.paypal_simulator import certificates
from tests.contracts.paypal_account import approved, pay
from tests.contracts.paypal_account import endpoint as endpoint
from tests.contracts.paypal_account import gateway as gateway
from tests.contracts.paypal_account import order_id as order_id
from tests.contracts.paypal_account import paypal as paypal
from tests.contracts.tills import SITE
from tests.paypal_server import WEBHOOK_ID, PayPalServer
from tests.provider_server import Delivery, Endpoint, eventually


@pytest.fixture
def genuine(gateway: PayPalGateway, paypal: PayPalServer, endpoint: Endpoint, order_id: str) -> Delivery:
    """A webhook as PayPal sends it."""
    intent_id = approved(gateway, paypal, order_id, "balance")
    eventually(lambda: endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED"))
    return endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED")[0]


def test_an_approval_names_the_payment(gateway: PayPalGateway, genuine: Delivery) -> None:
    event = gateway.verify_webhook(genuine.body, genuine.headers)
    assert (event.type, event.intent_id) == ("CHECKOUT.ORDER.APPROVED", genuine.event["resource"]["id"])


def test_a_dispute_names_the_charge(
    gateway: PayPalGateway, paypal: PayPalServer, endpoint: Endpoint, order_id: str
) -> None:
    paid = pay(gateway, order_id, approved(gateway, paypal, order_id, "dispute"))
    assert paid.charge_id
    kind = "CUSTOMER.DISPUTE.CREATED"
    eventually(lambda: endpoint.of(paid.charge_id or "", kind))
    delivery = endpoint.of(paid.charge_id, kind)[0]
    event = gateway.verify_webhook(delivery.body, delivery.headers)
    assert (event.charge_id, event.intent_id) == (paid.charge_id, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"paypal-transmission-id": "another"},
        {"paypal-transmission-time": "2020-01-01T00:00:00Z"},
        {"paypal-auth-algo": "SHA1withRSA"},
        {"paypal-cert-url": "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1"},
        {"paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-1"},
        {"paypal-cert-url": ""},
    ],
)
def test_a_webhook_with_other_headers_is_refused(
    gateway: PayPalGateway, genuine: Delivery, changed: dict[str, str]
) -> None:
    with pytest.raises(BadSignature):
        gateway.verify_webhook(genuine.body, genuine.headers | changed)


def test_a_webhook_for_another_endpoint_is_refused(paypal: PayPalServer, genuine: Delivery) -> None:
    for webhook_id in ("WH-ANOTHER", ""):
        other = PayPalGateway({**paypal.secret, "webhookId": webhook_id}, public_url=SITE)
        with pytest.raises(BadSignature):
            other.verify_webhook(genuine.body, genuine.headers)


def test_a_certificate_that_nobody_we_trust_has_signed_is_refused(
    paypal: PayPalServer, genuine: Delivery
) -> None:
    root, _ = certificates.issue("another-root.example", None, is_authority=True)
    other = PayPalGateway({**paypal.secret, "rootCertificate": certificates.pem(root)}, public_url=SITE)
    with pytest.raises(BadSignature):
        other.verify_webhook(genuine.body, genuine.headers)


def test_a_chain_through_a_certificate_that_may_not_sign_is_refused(paypal: PayPalServer) -> None:
    root = certificates.issue("root.example", None, is_authority=True)
    middle = certificates.issue("middle.example", root, is_authority=True)
    leaf = certificates.issue("leaf.paypal.com", middle, is_authority=False)
    grandchild = certificates.issue("forged.paypal.com", leaf, is_authority=False)
    known = Certificates(paypal.url, certificates.pem(root[0]), timeout_seconds=1)
    known._check([leaf[0], middle[0]])
    for chain in ([grandchild[0], leaf[0], middle[0]], [leaf[0]], [leaf[0], root[0], middle[0]], []):
        with pytest.raises(BadSignature):
            known._check(chain)


@pytest.mark.parametrize(
    ("url", "is_paypal"),
    [
        ("https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", True),
        ("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42", True),
        ("http://api.paypal.com/v1/notifications/certs/CERT-1", False),
        ("https://api.paypal.com:8443/v1/notifications/certs/CERT-1", False),
        ("https://paypal.com@evil.example/v1/notifications/certs/CERT-1", False),
        ("https://api.paypal.com/v1/notifications/certs/../../evil", False),
        ("https://www.paypal.com/v1/notifications/certs/CERT-1", False),
        ("file:///etc/passwd", False),
    ],
)
def test_a_live_account_takes_certificates_from_paypal_alone(url: str, is_paypal: bool) -> None:
    live = Certificates("https://api-m.paypal.com", None, timeout_seconds=1)
    assert live._is_paypal(url) is is_paypal


def test_a_root_of_one_s_own_counts_for_no_account_at_paypal() -> None:
    root, _ = certificates.issue("root.example", None, is_authority=True)
    live = Certificates("https://api-m.paypal.com", certificates.pem(root), timeout_seconds=1)
    assert root not in live._roots


def test_a_root_that_cannot_be_read_takes_no_other_with_it() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    root, _ = certificates.issue("root.example", None, is_authority=True)
    own = Certificates("http://127.0.0.1:9", broken + certificates.pem(root), timeout_seconds=1)
    assert own._roots == [root]
    well_known = Certificates("https://api-m.paypal.com", None, timeout_seconds=1)._roots
    assert any("DigiCert Global Root G2" in known.subject.rfc4514_string() for known in well_known)


@pytest.mark.parametrize(
    "event",
    [
        b"[]",
        b"{}",
        b"not json",
        b'{"id": "WH-1", "event_type": "x", "resource": []}',
        b'{"id": "WH-1", "event_type": "x", "resource": {"supplementary_data": 1}}',
        b'{"id": "%s", "event_type": "x", "resource": {}}' % (b"1" * 300),
        b'{"id": "WH\\u00001", "event_type": "x", "resource": {}}',
        b'{"id": "WH-1", "event_type": 1, "resource": {}}',
    ],
)
def test_what_is_signed_but_no_event_is_refused(
    gateway: PayPalGateway, paypal: PayPalServer, genuine: Delivery, event: bytes
) -> None:
    with pytest.raises(BadSignature):
        gateway.verify_webhook(event, _signed(paypal, genuine.headers, event))


@pytest.mark.parametrize("age", [timedelta(hours=95), timedelta(minutes=-4)])
def test_a_webhook_that_paypal_repeats_is_heard(
    gateway: PayPalGateway, paypal: PayPalServer, genuine: Delivery, age: timedelta
) -> None:
    headers = _signed(paypal, genuine.headers, genuine.body, sent=datetime.now(UTC) - age)
    assert gateway.verify_webhook(genuine.body, headers).id == genuine.event["id"]


@pytest.mark.parametrize("age", [timedelta(hours=97), timedelta(minutes=-6), timedelta(days=-3650)])
def test_a_webhook_of_another_time_is_refused(
    gateway: PayPalGateway, paypal: PayPalServer, genuine: Delivery, age: timedelta
) -> None:
    headers = _signed(paypal, genuine.headers, genuine.body, sent=datetime.now(UTC) - age)
    with pytest.raises(BadSignature):
        gateway.verify_webhook(genuine.body, headers)


@pytest.mark.parametrize("sent", ["soon", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1e9"])
def test_a_webhook_of_no_time_is_refused(
    gateway: PayPalGateway, paypal: PayPalServer, genuine: Delivery, sent: str
) -> None:
    with pytest.raises(BadSignature):
        gateway.verify_webhook(genuine.body, _signed(paypal, genuine.headers, genuine.body, sent=sent))


def _signed(
    paypal: PayPalServer, headers: dict[str, Any], body: bytes, *, sent: datetime | str | None = None
) -> dict[str, str]:
    """These headers with a signature of PayPal's over this body, sent at another time."""
    time = sent.isoformat() if isinstance(sent, datetime) else sent or headers["paypal-transmission-time"]
    signed = f"{headers['paypal-transmission-id']}|{time}|{WEBHOOK_ID}|{zlib.crc32(body)}"
    signature = base64.b64encode(paypal.signer.sign(signed.encode())).decode()
    return headers | {"paypal-transmission-sig": signature, "paypal-transmission-time": time}
