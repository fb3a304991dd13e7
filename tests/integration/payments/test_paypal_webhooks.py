"""PayPal's webhooks: verified by their certificate, stored once, and only ever a hint."""

from pathlib import Path
from uuid import uuid4

import pytest

from functions.payments import provider
from functions.payments.routes import paypal_webhook, stripe_webhook
from local.paypal_simulator import certificates, webhooks
from tests.cloud import Extension
from tests.contracts.tills import ask
from tests.payments_shop import PAYPAL_SECRET_ARN, Shop
from tests.provider_server import eventually
from tests.support import Reply, a_user, call

PATH = "/api/payments/webhooks/paypal"
KIND = "CHECKOUT.ORDER.APPROVED"


def approved(shop: Shop) -> tuple[str, str]:
    """An order that its buyer has approved at PayPal; its id and the PayPal order's."""
    order_id = shop.order_of(a_user(), None, method="paypal")
    return order_id, shop.approve(order_id)


def stored(shop: Shop, provider: str = "paypal") -> int:
    return len(shop.db.all("SELECT 1 FROM webhook_events WHERE provider = %(p)s", p=provider))


def send(body: bytes, headers: dict[str, str]) -> Reply:
    return call(paypal_webhook.handler, "POST", PATH, raw_body=body, headers=headers)


def test_a_webhook_is_stored_once_however_often_it_is_replayed(shop: Shop) -> None:
    order_id, intent_id = approved(shop)
    for _ in range(3):
        assert shop.paypal_webhook(intent_id, KIND).status == 200
        shop.deliver()
    assert stored(shop) == 1
    assert shop.status(order_id) == "PAID"
    assert shop.history(order_id).count("PAID") == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"paypal-transmission-sig": "AAAA"},
        {"paypal-transmission-id": "another"},
        {"paypal-cert-url": "https://evil.example/v1/notifications/certs/CERT-1"},
        {"paypal-auth-algo": "none"},
    ],
)
def test_a_forged_webhook_is_refused_and_not_stored(shop: Shop, changed: dict[str, str]) -> None:
    _, intent_id = approved(shop)
    reply = shop.paypal_webhook(intent_id, KIND, **changed)
    assert (reply.status, reply.code) == (400, "INVALID_SIGNATURE")
    assert stored(shop) == 0


def test_a_webhook_signed_for_another_endpoint_is_refused(shop: Shop) -> None:
    _, intent_id = approved(shop)
    eventually(lambda: shop.paypal_endpoint.of(intent_id, KIND))
    body = shop.paypal_endpoint.of(intent_id, KIND)[0].body
    assert send(body, webhooks.headers(body, shop.paypal.signer, "WH-OTHER", shop.paypal.url)).status == 400
    assert stored(shop) == 0


def test_while_a_webhook_is_replaced_both_are_good(shop: Shop, extension: Extension) -> None:
    _, intent_id = approved(shop)
    eventually(lambda: shop.paypal_endpoint.of(intent_id, KIND))
    body = shop.paypal_endpoint.of(intent_id, KIND)[0].body
    secret = shop.paypal.secret
    replaced = {"webhookId": "WH-NEW", "webhookIdBefore": secret["webhookId"]}
    extension.secrets[PAYPAL_SECRET_ARN] = {**secret, **replaced}
    provider.forget()
    for id_, status in (("WH-NEW", 200), (secret["webhookId"], 200), ("WH-OTHER", 400), ("", 400)):
        sent = send(body, webhooks.headers(body, shop.paypal.signer, id_, shop.paypal.url))
        assert sent.status == status, id_


def test_a_webhook_signed_by_somebody_else_is_refused(shop: Shop, tmp_path: Path) -> None:
    _, intent_id = approved(shop)
    eventually(lambda: shop.paypal_endpoint.of(intent_id, KIND))
    body = shop.paypal_endpoint.of(intent_id, KIND)[0].body
    forger = certificates.of(tmp_path)
    webhook_id = shop.paypal.secret["webhookId"]
    assert send(body, webhooks.headers(body, forger, webhook_id, shop.paypal.url)).status == 400


def test_a_webhook_longer_than_any_event_is_refused(shop: Shop) -> None:
    body = b'{"x": "' + b"x" * 300_000 + b'"}'
    assert send(body, {}).status == 400
    reply = call(stripe_webhook.handler, "POST", "/api/payments/webhooks/stripe", raw_body=body)
    assert (reply.status, reply.fields) == (400, {"body"})


def test_an_approval_of_an_order_that_is_not_ours_is_only_kept(shop: Shop) -> None:
    foreign = ask(provider.paypal(), str(uuid4()), None, None, str(uuid4()))
    shop.paypal.approve(foreign.intent_id)
    assert shop.paypal_webhook(foreign.intent_id, KIND).status == 200
    shop.deliver()
    assert stored(shop) == 1
