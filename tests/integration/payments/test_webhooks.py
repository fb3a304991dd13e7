"""Stripe's webhooks: verified, stored once, and only ever a hint."""

import hashlib
import hmac
import json
import time
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from functions.payments import provider, unheard, webhooks
from functions.payments.database import database
from functions.payments.jobs import resume_payments
from functions.payments.repository import orders
from functions.payments.routes import stripe_webhook
from shared.clock import now
from shared.contracts import OrderPaid, OrderRefunded, PaymentFailed
from tests.payments_shop import Shop
from tests.stripe_server import WEBHOOK_SECRET, eventually
from tests.support import a_user, call, context

PATH = "/api/payments/webhooks/stripe"


def sweep(shop: Shop) -> int:
    """Ask the provider about what is unclear; how many questions that were."""
    with database.transaction() as sql:
        asked = unheard.ask_again(sql, now(), 0, 1, 10)
    shop.deliver()
    return asked


def test_a_signed_webhook_pays_the_order_after_3d_secure(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    reply = shop.webhook(shop.authenticate(order_id), "payment_intent.succeeded")
    assert (reply.status, reply.body) == (200, {"received": True})
    assert shop.deliver() == 1
    assert (shop.status(order_id), shop.attempts(order_id)) == ("PAID", ["SUCCEEDED"])
    assert shop.order(order_id)["client_secret"] is None
    assert len(shop.published(OrderPaid, order_id)) == 1


def test_a_failed_3d_secure_step_lets_the_buyer_try_again(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    shop.webhook(shop.authenticate(order_id, "fail"), "payment_intent.payment_failed")
    shop.deliver()
    assert (shop.status(order_id), shop.attempts(order_id)) == ("PAYMENT_FAILED", ["DECLINED"])
    assert len(shop.published(PaymentFailed, order_id)) == 1
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def test_a_webhook_delivered_twice_acts_once(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    intent_id = shop.authenticate(order_id)
    assert shop.webhook(intent_id, "payment_intent.succeeded").status == 200
    shop.deliver()
    assert shop.webhook(intent_id, "payment_intent.succeeded").status == 200
    assert shop.deliver() == 0
    assert shop.history(order_id).count("PAID") == 1


def test_a_webhook_that_was_stored_but_never_handled_is_sent_on_again(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    intent_id = shop.authenticate(order_id)
    for _ in range(2):
        shop.webhook(intent_id, "payment_intent.succeeded")
    assert shop.deliver() == 2
    assert shop.history(order_id).count("PAID") == 1


def test_a_webhook_that_stripe_has_not_signed_is_refused(shop: Shop) -> None:
    body = json.dumps({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}})
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}, {"Stripe-Signature": "nonsense"}):
        reply = call(stripe_webhook.handler, "POST", PATH, raw_body=body.encode(), headers=headers)
        assert (reply.status, reply.code) == (400, "INVALID_SIGNATURE")
    assert shop.db.all("SELECT 1 FROM webhook_events") == []


def test_an_altered_webhook_is_refused(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    eventually(lambda: shop.endpoint.of(intent_id, "payment_intent.succeeded"))
    delivery = shop.endpoint.of(intent_id, "payment_intent.succeeded")[-1]
    reply = call(
        stripe_webhook.handler,
        "POST",
        PATH,
        raw_body=delivery.body.replace(b"9900", b"1"),
        headers={"Stripe-Signature": delivery.signature},
    )
    assert reply.status == 400


def test_news_of_what_is_known_asks_the_provider_nothing(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.webhook(intent_id, "payment_intent.created")
    shop.stripe.fault("error", times=50)
    assert shop.deliver() == 1
    assert shop.db.all("SELECT 1 FROM webhook_events WHERE handled_at IS NULL") == []


def test_a_refund_made_in_the_dashboard_is_taken_over(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id, "amount": 4000})
    shop.webhook(intent_id, "charge.refunded")
    shop.deliver()
    order = shop.order(order_id)
    assert (order["payment_status"], str(order["refunded_amount"])) == ("PARTIALLY_REFUNDED", "40.00")


def test_a_refund_made_in_the_dashboard_while_one_of_ours_is_on_its_way_is_found_when_that_is_over(
    shop: Shop,
) -> None:
    order_id = shop.order_of(a_user(), "pm_card_pendingRefund")
    shop.issue(order_id)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    assert shop.ask_refund(order_id, amount="20.00").status == 202
    shop.deliver()
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id, "amount": 4000})
    shop.webhook(intent_id, "charge.refunded")
    shop.deliver()
    assert sweep(shop) == 0, "not yet: ours is on its way"
    order = shop.order(order_id)
    assert (order["refunded_amount"], order["refunding_amount"]) == (0, 20)

    eventually(lambda: len(shop.endpoint.of(intent_id, "refund.updated")) == 2)
    resume_payments.handler({"olderThanSeconds": 0}, context())  # ours is over
    shop.deliver()
    assert shop.order(order_id)["refunded_amount"] == 20
    assert sweep(shop) == 1

    order = shop.order(order_id)
    assert (order["refunded_amount"], order["refunding_amount"]) == (60, 0)
    assert sweep(shop) == 0


def test_an_answer_from_before_a_refund_failed_is_not_taken_for_one_made_in_the_dashboard(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(order_id)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    assert shop.ask_refund(order_id, amount="20.00").status == 202
    shop.deliver()
    with database.transaction() as sql:
        before = orders.get(sql, UUID(order_id))
    answer = replace(provider.stripe().fetch(intent_id), amount_refunded=Decimal("20.00"))
    shop.webhook(intent_id, "refund.updated")
    shop.deliver()
    assert shop.history(order_id)[-1] == "REFUND_FAILED"

    with pytest.raises(webhooks.TooEarly), database.transaction() as sql:
        webhooks.hear(sql, "stripe", before, answer, now())
    assert shop.order(order_id)["refunded_amount"] == 0


def test_tickets_that_are_issued_after_all_money_went_back_are_told_to_be_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id})
    shop.webhook(intent_id, "charge.refunded")
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"
    shop.issue(order_id)
    first, again = shop.published(OrderRefunded, order_id)
    assert again == first
    assert again["fully"] is True


def test_a_webhook_about_another_systems_payment_is_passed_over(shop: Shop) -> None:
    client = shop.stripe.client()
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
         "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    )  # fmt: skip
    shop.webhook(intent.id, "payment_intent.succeeded")
    shop.deliver()
    assert shop.db.all("SELECT 1 FROM webhook_events WHERE handled_at IS NULL") == []


@pytest.mark.parametrize(
    ("type_", "about"),
    [
        ("payment_intent.succeeded", {"id": "pi_nobody", "object": "payment_intent"}),
        ("refund.updated", {"id": "re_nobody", "object": "refund", "payment_intent": "pi_nobody"}),
    ],
)
def test_a_webhook_about_nothing_that_the_provider_knows_is_done_with(
    shop: Shop, type_: str, about: dict[str, str]
) -> None:
    body, at = (
        json.dumps({"id": "evt_1", "type": type_, "data": {"object": about}}).encode(),
        int(time.time()),
    )
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signature}"}
    assert call(stripe_webhook.handler, "POST", PATH, raw_body=body, headers=headers).status == 200
    assert shop.deliver() == 1
    assert shop.db.all("SELECT 1 FROM webhook_events WHERE handled_at IS NULL") == []


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_chargeDeclined"])
def test_an_order_whose_payment_was_cancelled_in_the_dashboard_is_paid_by_another(
    shop: Shop, card: str, is_told: bool
) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, card)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.stripe.client().v1.payment_intents.cancel(intent_id)
    if is_told:
        shop.webhook(intent_id, "payment_intent.canceled")
    else:
        shop.pay_again(buyer, order_id)
    shop.deliver()
    order = shop.order(order_id)
    expected = "generic_decline" if is_told and card == "pm_card_chargeDeclined" else "payment_cancelled"
    assert (order["payment_status"], order["failure_code"]) == ("PAYMENT_FAILED", expected)

    shop.pay_again(buyer, order_id)
    shop.webhook(intent_id, "payment_intent.canceled")  # again
    shop.deliver()

    assert shop.status(order_id) == "PAID"
    assert sorted(intent["status"] for intent in shop.intents(order_id)) == ["canceled", "succeeded"]


def test_an_answer_from_before_the_order_changed_is_not_taken(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    shop.webhook(shop.authenticate(order_id, "fail"), "payment_intent.payment_failed")
    event = shop.db.one("SELECT event_id FROM webhook_events WHERE handled_at IS NULL")
    assert event is not None
    with database.transaction() as sql:
        due = webhooks.due(sql, "stripe", event["event_id"], now())
    assert due is not None
    declined = webhooks.ask(provider.stripe(), due)
    assert shop.pay_again(buyer, order_id).status == 202  # while we asked

    with pytest.raises(webhooks.TooEarly), database.transaction() as sql:
        webhooks.record(sql, due, declined, now())

    shop.deliver()
    assert (shop.status(order_id), shop.attempts(order_id)[-1]) == ("PAID", "SUCCEEDED")


def test_stale_news_of_a_decline_does_not_undo_a_later_attempt(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    intent_id = shop.authenticate(order_id, "fail")
    assert shop.pay_again(buyer, order_id).status == 202
    shop.webhook(intent_id, "payment_intent.payment_failed")
    shop.deliver()
    assert shop.status(order_id) == "PAID"
