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


def received(event: Any) -> WebhookEvent:
    body, at = json.dumps(event).encode(), int(time.time())
    signature = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return GATEWAY.verify_webhook(body, {"stripe-signature": f"t={at},v1={signature}"})


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
