"""Webhooks of every shape that Stripe signs: stored if they are events, refused if not, and never a failure of ours."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from functions.payments.gateways.gateway import BadSignature, WebhookEvent
from functions.payments.gateways.stripe_gateway import StripeGateway

SECRET = "whsec_test"
GATEWAY = StripeGateway({"secretKey": "sk_test_1", "webhookSecret": SECRET, "publishableKey": "pk_test_1"})


SUCCEEDED = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}


def received(event: Any, *, seconds_ahead: int = 0, gateway: StripeGateway = GATEWAY) -> WebhookEvent:
    return delivered(json.dumps(event).encode(), seconds_ahead=seconds_ahead, gateway=gateway)


def delivered(
    body: bytes, *, seconds_ahead: int = 0, gateway: StripeGateway = GATEWAY, secret: str = SECRET
) -> WebhookEvent:
    at = int(time.time()) + seconds_ahead
    return gateway.verify_webhook(body, {"stripe-signature": f"t={at},v1={signed(body, at, secret)}"})


def signed(body: bytes, at: int, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def test_an_event_about_something_without_an_id_is_an_event() -> None:
    """A balance has none: https://docs.stripe.com/api/balance/balance_object."""
    event = received({"id": "evt_1", "type": "balance.available", "data": {"object": {"object": "balance"}}})

    assert event == WebhookEvent(id="evt_1", type="balance.available", object_id="", intent_id=None)


def test_an_event_names_the_payment_that_it_is_about() -> None:
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}
    intent = {"id": "pi_1", "object": "payment_intent"}

    assert received({"id": "evt_1", "type": "x", "data": {"object": charge}}).intent_id == "pi_1"
    assert received({"id": "evt_1", "type": "x", "data": {"object": intent}}).intent_id == "pi_1"


@pytest.mark.parametrize(
    "event",
    [
        [1],
        {},
        {"id": "evt_1", "type": "x"},
        {"id": "evt_1", "type": "x", "data": []},
        {"id": "evt_1", "type": "x", "data": {"object": []}},
        {"type": "x", "data": {"object": {"id": "pi_1"}}},
        {"id": "e" * 256, "type": "x", "data": {"object": {"id": "pi_1"}}},
        {"id": "evt_1", "type": "x" * 101, "data": {"object": {"id": "pi_1"}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"id": "p" * 256}}},
        {"id": "evt_1\x00", "type": "x", "data": {"object": {"id": "pi_1"}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"id": "\ud800"}}},
        {"id": 1, "type": "x", "data": {"object": {"id": "pi_1"}}},
        {"id": "evt_1", "type": "x", "data": {"object": {"id": "ch_1", "payment_intent": {"id": "pi_1"}}}},
        {"id": "", "type": "x", "data": {"object": {"id": "pi_1"}}},
    ],
)
def test_what_is_signed_but_no_event_is_refused(event: Any) -> None:
    with pytest.raises(BadSignature):
        received(event)


@pytest.mark.parametrize("seconds", [-240, 0, 240])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    assert received(SUCCEEDED, seconds_ahead=seconds).id == "evt_1"


@pytest.mark.parametrize("seconds", [-86_400, -360, 360, 3600, 10**12])
def test_a_webhook_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(BadSignature):
        received(SUCCEEDED, seconds_ahead=seconds)


def test_by_how_much_clocks_may_differ_can_be_said() -> None:
    patient = StripeGateway(GATEWAY._secret, webhook_tolerance_seconds=7200)

    assert received(SUCCEEDED, seconds_ahead=3600, gateway=patient).id == "evt_1"
    assert received(SUCCEEDED, seconds_ahead=-3600, gateway=patient).id == "evt_1"


def test_the_time_that_was_signed_is_the_one_that_counts() -> None:
    body, now = json.dumps(SUCCEEDED).encode(), int(time.time())
    old = now - 3600
    for header in (f"t={old},t={now},v1={signed(body, old)}", f"t={now},t={old},v1={signed(body, old)}"):
        with pytest.raises(BadSignature):
            GATEWAY.verify_webhook(body, {"stripe-signature": header})


def test_a_body_signed_with_anothers_signature_is_refused() -> None:
    now = int(time.time())
    one, other = (json.dumps(SUCCEEDED | {"id": id}).encode() for id in ("evt_1", "evt_2"))

    with pytest.raises(BadSignature):
        GATEWAY.verify_webhook(one, {"stripe-signature": f"t={now},v1={signed(other, now)}"})


@pytest.mark.parametrize("body", [b"not json", b"", b"\xff", b"[" * 100_000, b'{"id": NaN}'])
def test_what_is_signed_but_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadSignature):
        delivered(body)


def test_while_an_endpoint_is_replaced_the_secrets_of_both_are_good() -> None:
    both = StripeGateway(
        {
            "secretKey": "sk_test_1",
            "webhookSecret": "whsec_new",
            "webhookSecretBefore": SECRET,
            "publishableKey": "pk_test_1",
        }
    )
    body = json.dumps(SUCCEEDED).encode()

    assert delivered(body, gateway=both, secret="whsec_new").id == "evt_1"
    assert delivered(body, gateway=both, secret=SECRET).id == "evt_1"
    with pytest.raises(BadSignature):
        delivered(body, gateway=both, secret="whsec_other")


def test_without_a_secret_nothing_is_believed() -> None:
    nobody = StripeGateway({"secretKey": "", "webhookSecret": "", "publishableKey": ""})
    with pytest.raises(BadSignature):
        delivered(json.dumps(SUCCEEDED).encode(), gateway=nobody, secret="")
