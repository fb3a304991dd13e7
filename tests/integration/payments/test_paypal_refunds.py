"""News of refunds at PayPal, which name the capture alone: whose they are is learnt first, and then as at Stripe."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from functions.payments import provider, refund_outcomes, webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import RefundResult, WebhookEvent
from functions.payments.gateways.paypal_client import PayPalClient
from shared.clock import now
from tests.integration.payments.money import intent_of, sweep
from tests.payments_shop import Shop
from tests.support import a_user


def refunded(shop: Shop, funding: str, *amounts: str) -> tuple[str, list[dict[str, Any]]]:
    """An issued order of which these amounts were asked back, and the refunds."""
    order_id = shop.order_of(a_user(), None, method="paypal")
    shop.approve(order_id, funding)
    sweep(shop)
    shop.issue(order_id)
    for amount in amounts:
        assert shop.ask_refund(order_id, amount=amount).status == 202
        shop.deliver()
    return order_id, shop.db.all("SELECT * FROM refunds ORDER BY created_at")


def news(shop: Shop, order_id: str, type_: str, refund: dict[str, Any]) -> None:
    """PayPal's webhook about a refund, stored and not handled yet."""
    charge_id = provider.paypal().fetch(intent_of(shop, order_id)).charge_id
    with database.transaction() as sql:
        event = WebhookEvent("WH-1", type_, refund["gateway_refund_id"], None, charge_id)
        webhooks.store(sql, "paypal", event, now())


def due() -> webhooks.Due:
    with database.transaction() as sql:
        found = webhooks.due(sql, "paypal", "WH-1", now())
    assert found is not None
    return found


def test_that_a_pending_refund_is_through_is_taken(shop: Shop) -> None:
    order_id, [refund] = refunded(shop, "refund_pending", "20.00")
    assert refund["status"] == "REQUESTED"
    shop.paypal_webhook(refund["gateway_refund_id"], "PAYMENT.CAPTURE.REFUNDED")
    shop.deliver()
    assert shop.status(order_id) == "PARTIALLY_REFUNDED"
    assert shop.db.all("SELECT FROM webhook_events WHERE handled_at IS NULL") == []


def test_that_one_of_two_refunds_failed_is_taken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id, [_, failed] = refunded(shop, "balance", "20.00", "30.00")
    assert failed["status"] == "SUCCEEDED"
    real_order, real_refund = PayPalClient.order, PayPalClient.refund

    def order(self: Any, id_: str) -> Any:
        found = real_order(self, id_)
        for refund in found["purchase_units"][0]["payments"]["refunds"]:
            if refund["id"] == failed["gateway_refund_id"]:
                refund["status"] = "FAILED"
        return found

    monkeypatch.setattr(PayPalClient, "order", order)
    monkeypatch.setattr(
        PayPalClient, "refund", lambda self, id_: real_refund(self, id_) | {"status": "FAILED"}
    )
    news(shop, order_id, "PAYMENT.REFUND.FAILED", failed)
    shop.deliver()
    assert (shop.order(order_id)["refunded_amount"], shop.history(order_id)[-1]) == (20, "REFUND_FAILED")


@pytest.mark.parametrize("is_known", [False, True])
def test_an_answer_from_before_a_refund_failed_is_not_taken(shop: Shop, is_known: bool) -> None:
    order_id, [refund] = refunded(shop, "refund_pending", "20.00")
    news(shop, order_id, "PAYMENT.REFUND.PENDING", refund)
    if is_known:  # as it is once PayPal has said which order its capture is of
        with database.transaction() as sql:
            webhooks.record(sql, due(), webhooks.ask(provider.paypal(), due()), now())
        assert due().order is not None
    asked = due()
    answers = webhooks.ask(provider.paypal(), asked)  # pending: counted as given back
    failed = RefundResult(refund["gateway_refund_id"], None, "failed", Decimal(20), None)
    with database.transaction() as sql:
        refund_outcomes.record(sql, refund["id"], failed, now())

    with suppress(webhooks.TooEarly), database.transaction() as sql:
        webhooks.record(sql, asked, answers, now())

    assert shop.order(order_id)["refunded_amount"] == 0, shop.history(order_id)
    assert due().event_id == "WH-1", "it is asked again"
