"""What is particular to PayPal behind `PaymentGateway`, and what is tried in its sandbox.

With PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET set, what needs no buyer also runs in PayPal's sandbox.
"""

import base64
import os
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import create_autospec
from uuid import uuid4

import pytest

from functions.payments.gateways.gateway import (
    BadSignature,
    GatewayRefused,
    GatewayUnavailable,
    PaymentGateway,
    PaymentOutcome,
    PaymentResult,
)
from functions.payments.gateways.paypal_client import PayPalSecret
from functions.payments.gateways.paypal_gateway import PayPalGateway
from functions.payments.gateways.paypal_webhooks import Certificates
from local.paypal_simulator import certificates
from tests.contracts.tills import AMOUNT, SITE, ask
from tests.paypal_server import WEBHOOK_ID, PayPalServer
from tests.provider_server import Delivery, Endpoint, eventually

SANDBOX: PayPalSecret = {
    "clientId": os.environ.get("PAYPAL_CLIENT_ID", ""),
    "clientSecret": os.environ.get("PAYPAL_CLIENT_SECRET", ""),
    "webhookId": "",
    "apiBase": "https://api-m.sandbox.paypal.com",
}


@pytest.fixture
def paypal(_paypal: tuple[PayPalServer, Endpoint]) -> Iterator[PayPalServer]:
    yield _paypal[0]
    _paypal[0].control("DELETE", "faults")


@pytest.fixture
def endpoint(_paypal: tuple[PayPalServer, Endpoint]) -> Endpoint:
    return _paypal[1]


@pytest.fixture
def gateway(paypal: PayPalServer) -> PayPalGateway:
    return PayPalGateway(paypal.secret, public_url=SITE, max_network_retries=0)


@pytest.fixture(params=["simulator", "sandbox"] if SANDBOX["clientId"] else ["simulator"])
def account(request: pytest.FixtureRequest) -> PaymentGateway:
    """Each account that there is: PayPal's sandbox, too, if its keys are set."""
    if request.param == "simulator":
        gateway: PaymentGateway = request.getfixturevalue("gateway")
        return gateway
    return PayPalGateway(SANDBOX, public_url=SITE)


@pytest.fixture
def order_id() -> str:
    return str(uuid4())


def _pay(gateway: PaymentGateway, order_id: str, intent_id: str | None = None) -> PaymentResult:
    return ask(gateway, order_id, None, intent_id, str(uuid4()))


def _approved(gateway: PaymentGateway, paypal: PayPalServer, order_id: str, funding: str) -> str:
    intent_id = _pay(gateway, order_id).intent_id
    paypal.approve(intent_id, funding)
    return intent_id


def test_an_order_is_approved_at_paypal(account: PaymentGateway, order_id: str) -> None:
    due = _pay(account, order_id)
    assert due.outcome is PaymentOutcome.ACTION_REQUIRED
    assert (due.approval_url or "").endswith(f"token={due.intent_id}")
    assert (due.order_id, due.amount, due.client_secret) == (order_id, AMOUNT, None)
    assert account.fetch(due.intent_id) == due
    assert _pay(account, order_id).intent_id == due.intent_id


def test_an_order_that_nobody_approved_is_cancelled_at_paypal(account: PaymentGateway, order_id: str) -> None:
    due = _pay(account, order_id)
    cancelled = account.cancel(due.intent_id)
    assert (cancelled.outcome, cancelled.payment.outcome) == ("cancelled", PaymentOutcome.CANCELLED)
    assert _pay(account, order_id, due.intent_id).outcome is PaymentOutcome.CANCELLED


def test_an_order_that_paypal_forgot_is_cancelled(account: PaymentGateway) -> None:
    assert account.cancel("5O190127TN364715T").outcome == "cancelled"


def test_what_is_approved_after_cancelling_is_not_captured(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    due = _pay(gateway, order_id)
    gateway.cancel(due.intent_id)
    paypal.approve(due.intent_id)
    assert gateway.fetch(due.intent_id).outcome is PaymentOutcome.CANCELLED
    assert _pay(gateway, order_id, due.intent_id).outcome is PaymentOutcome.CANCELLED


def test_a_capture_on_its_way_while_cancelling_is_refused_or_found(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    """The capture has left us and is slow on its way; meanwhile the order is cancelled: no money is taken."""
    intent_id = _approved(gateway, paypal, order_id, "balance")
    paypal.fault("slow", operation="orders.capture", seconds=0.5)
    outcomes: list[PaymentOutcome] = []
    capturing = threading.Thread(target=lambda: outcomes.append(_pay(gateway, order_id, intent_id).outcome))
    capturing.start()
    eventually(lambda: not paypal.control("GET", "faults")[1]["items"])
    assert gateway.cancel(intent_id).outcome == "cancelled"
    capturing.join()
    assert outcomes == [PaymentOutcome.CANCELLED]
    assert gateway.fetch(intent_id).charge_id is None


def test_what_paypal_neither_changes_nor_captured_is_not_cancelled(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "balance")
    refusal = GatewayRefused("orders.patch", "NOT_PATCHABLE")
    refusing = create_autospec(gateway._client.patch_order, side_effect=refusal)
    with monkeypatch.context() as patched:
        patched.setattr(gateway._client, "patch_order", refusing)
        with pytest.raises(GatewayUnavailable):
            gateway.cancel(intent_id)
    assert gateway.cancel(intent_id).outcome == "cancelled"


def test_a_bank_account_that_pays_in_days_cannot_be_chosen(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    path = f"orders/{_pay(gateway, order_id).intent_id}/authenticate"
    status, _ = paypal.control("POST", path, {"outcome": "succeed", "funding": "echeck"})
    assert status == 409
    assert paypal.control("POST", path, {"outcome": "succeed"})[0] == 200


def test_whoever_was_declined_chooses_again_at_paypal(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "declined")
    declined = _pay(gateway, order_id, intent_id)
    assert declined.outcome is PaymentOutcome.ACTION_REQUIRED
    assert declined.failure is not None
    assert declined.failure.code == "instrument_declined"
    assert (declined.approval_url or "").endswith(f"token={intent_id}")
    paypal.approve(intent_id, "balance")
    assert _pay(gateway, order_id, intent_id).outcome is PaymentOutcome.PAID


def test_an_account_that_may_not_pay_is_a_decline(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "refused")
    declined = _pay(gateway, order_id, intent_id)
    assert (declined.outcome, declined.approval_url) == (PaymentOutcome.DECLINED, None)


@pytest.mark.parametrize(
    ("decision", "outcome"), [("succeed", PaymentOutcome.PAID), ("fail", PaymentOutcome.DECLINED)]
)
def test_a_payment_under_review_is_processing_until_paypal_decides(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str, decision: str, outcome: PaymentOutcome
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "review")
    assert _pay(gateway, order_id, intent_id).outcome is PaymentOutcome.PROCESSING
    paypal.review(intent_id, decision)
    assert gateway.fetch(intent_id).outcome is outcome


def test_after_a_review_that_failed_the_order_has_another_paypal_order(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "review")
    _pay(gateway, order_id, intent_id)
    paypal.review(intent_id, "fail")
    again = _pay(gateway, order_id, intent_id)
    assert again.outcome is PaymentOutcome.ACTION_REQUIRED
    assert again.intent_id != intent_id
    assert _pay(gateway, order_id, intent_id).intent_id == again.intent_id
    paypal.approve(again.intent_id)
    assert _pay(gateway, order_id, again.intent_id).outcome is PaymentOutcome.PAID


def test_cancelling_a_payment_under_review_asks_for_nothing_more(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = _approved(gateway, paypal, order_id, "review")
    _pay(gateway, order_id, intent_id)
    cancelled = gateway.cancel(intent_id)
    assert (cancelled.outcome, cancelled.payment.outcome) == ("cancelled", PaymentOutcome.PROCESSING)


def test_a_refund_that_paypal_has_forgotten_the_key_of_is_found_again(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    paid, key = _pay(gateway, order_id, _approved(gateway, paypal, order_id, "balance")), str(uuid4())
    assert paid.charge_id
    part = {"amount": {"currency_code": "USD", "value": "40.00"}, "custom_id": key}
    first = gateway._client.refund_capture(paid.charge_id, part, "of-yesterday")
    again = gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=key)
    assert again.refund_id == first["id"]
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")


def test_a_refund_on_its_way_counts_as_given_back(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    paid = _pay(gateway, order_id, _approved(gateway, paypal, order_id, "refund_pending"))
    refund = gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=str(uuid4()))
    assert refund.status == "pending"
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")


def test_paypal_itself_refuses_to_be_paid_twice_for_an_order(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    first = _approved(gateway, paypal, order_id, "balance")
    _pay(gateway, order_id, first)
    second = gateway.open(
        order_id=order_id,
        amount=AMOUNT,
        currency="USD",
        payment_number=2,
        metadata={"order_number": f"BO-{order_id}"},
    )
    assert second is not None
    paypal.approve(second.intent_id)
    with pytest.raises(GatewayRefused) as refusal:
        _pay(gateway, order_id, second.intent_id)
    assert refusal.value.provider_code == "DUPLICATE_INVOICE_ID"


def test_where_paypal_takes_no_such_currency_there_is_no_payment(
    gateway: PayPalGateway, order_id: str
) -> None:
    assert gateway.open(order_id=order_id, amount=AMOUNT, currency="ZAR") is None


def test_a_token_that_paypal_takes_back_is_replaced(gateway: PayPalGateway, order_id: str) -> None:
    due = _pay(gateway, order_id)
    gateway._client._library.oauth_2._o_auth_token.access_token = "gone"
    assert gateway.fetch(due.intent_id) == due


def test_no_token_is_an_outage_of_paypal(paypal: PayPalServer, order_id: str) -> None:
    paypal.fault("error", operation="oauth2.token")
    with pytest.raises(GatewayUnavailable):
        _pay(PayPalGateway(paypal.secret, public_url=SITE, max_network_retries=0), order_id)


# ---- webhooks


@pytest.fixture
def genuine(gateway: PayPalGateway, paypal: PayPalServer, endpoint: Endpoint, order_id: str) -> Delivery:
    """A webhook as PayPal sends it."""
    intent_id = _approved(gateway, paypal, order_id, "balance")
    eventually(lambda: endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED"))
    return endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED")[0]


def test_an_approval_names_the_payment(gateway: PayPalGateway, genuine: Delivery) -> None:
    event = gateway.verify_webhook(genuine.body, genuine.headers)
    assert (event.type, event.intent_id) == ("CHECKOUT.ORDER.APPROVED", genuine.event["resource"]["id"])


def test_a_dispute_names_the_charge(
    gateway: PayPalGateway, paypal: PayPalServer, endpoint: Endpoint, order_id: str
) -> None:
    paid = _pay(gateway, order_id, _approved(gateway, paypal, order_id, "dispute"))
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
