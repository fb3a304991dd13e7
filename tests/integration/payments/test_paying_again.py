"""POST /api/payments/process and GET /api/payments/methods: the buyer tries another card."""

import time
from uuid import uuid4

import pytest

from functions.payments.consumers import attempts
from functions.payments.routes import health, methods, process
from shared.identity import User
from tests.cloud import Extension
from tests.payments_shop import PAYPAL_SECRET_ARN, Shop
from tests.support import Reply, a_user, call


def post(buyer: User, body: object) -> Reply:
    return call(
        process.handler,
        "POST",
        "/api/payments/process",
        user=buyer,
        body=body,
        headers={"Idempotency-Key": str(uuid4())},
    )


@pytest.mark.parametrize("first", ["pm_card_chargeDeclined", "pm_card_authenticationRequired"])
def test_another_card_pays_the_same_order_by_the_same_payment(shop: Shop, first: str) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, first)
    reply = shop.pay_again(buyer, order_id)
    assert (reply.status, reply.body["status"]) == (202, "PENDING")
    assert reply.body["statusUrl"] == f"/api/payments/orders/{order_id}"
    assert shop.status(order_id) == "PENDING"
    shop.deliver()
    assert shop.status(order_id) == "PAID"
    [intent] = shop.intents(order_id)
    assert (intent["status"], intent["amount"]) == ("succeeded", 9900)
    assert shop.attempts(order_id)[1] == "SUCCEEDED"


def test_a_second_attempt_while_one_is_open_is_a_conflict(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    assert shop.pay_again(buyer, order_id).status == 202
    assert shop.pay_again(buyer, order_id).code == "PAYMENT_IN_PROGRESS"
    shop.deliver()
    assert shop.pay_again(buyer, order_id).code == "ORDER_NOT_PAYABLE"


def test_declines_may_follow_each_other(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    for token, code in (
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_nobody_knows", "invalid_payment_method"),
    ):
        assert shop.pay_again(buyer, order_id, token).status == 202
        shop.deliver()
        assert (shop.status(order_id), shop.order(order_id)["failure_code"]) == ("PAYMENT_FAILED", code)
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def test_the_same_key_gives_the_first_answer_again(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    replies = [shop.pay_again(buyer, order_id, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [reply.status for reply in replies] == [202, 202]
    assert replies[0].body == replies[1].body
    assert replies[1].headers["Idempotency-Replayed"] == "true"
    assert len(shop.attempts(order_id)) == 2
    other = shop.pay_again(buyer, order_id, "pm_card_mastercard", **{"Idempotency-Key": "k"})
    assert other.code == "IDEMPOTENCY_CONFLICT"


def test_an_attempt_command_that_comes_twice_is_one_attempt(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_again(buyer, order_id)
    shop.deliver()
    shop._delivered.clear()
    shop.deliver()
    assert shop.attempts(order_id) == ["DECLINED", "SUCCEEDED"]


def test_an_attempt_that_cannot_reach_the_provider_is_given_up_after_a_while(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_again(buyer, order_id)
    shop.stripe.fault("error", times=50)
    [command] = shop.aws.messages("payments-attempts")
    record = shop.aws.record("payments-attempts", command)
    assert attempts.handler({"Records": [record]}, None)["batchItemFailures"] != []
    assert shop.status(order_id) == "PENDING"
    shop.db.run("UPDATE payment_transactions SET created_at = created_at - interval '1 minute'")
    shop.deliver()
    assert (shop.status(order_id), shop.order(order_id)["failure_code"]) == (
        "PAYMENT_FAILED",
        "provider_unavailable",
    )


def test_after_pay_by_it_is_too_late(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined", seconds=1)
    time.sleep(1.1)
    assert shop.pay_again(buyer, order_id).code == "ORDER_NOT_PAYABLE"


def test_only_the_buyer_pays_and_only_with_what_there_is(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    assert shop.pay_again(a_user(), order_id).status == 404
    assert shop.pay_again(shop.organizer, order_id).status == 404
    for method, field in (
        ({"type": "free"}, "paymentMethod.type"),
        ({"type": "stripe"}, "paymentMethod.token"),
        ({"type": "cash"}, "paymentMethod.type"),
        ({"type": "stripe", "token": "4242 4242 4242 4242"}, "paymentMethod.token"),
        ({"type": "stripe", "token": "pm card"}, "paymentMethod.token"),
    ):
        reply = post(buyer, {"orderId": order_id, "paymentMethod": method})
        assert (reply.status, reply.fields) == (400, {field})
    assert post(buyer, {}).fields == {"orderId", "paymentMethod"}
    assert shop.attempts(order_id) == ["DECLINED"]


def test_the_idempotency_key_is_required(shop: Shop) -> None:
    body = {"orderId": str(uuid4()), "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}
    reply = call(process.handler, "POST", "/api/payments/process", user=a_user(), body=body)
    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})


def test_an_order_that_has_not_come_here_is_being_paid_or_over(shop: Shop) -> None:
    buyer = a_user()
    for status, code in (("PENDING", "PAYMENT_IN_PROGRESS"), ("CANCELLED", "ORDER_NOT_PAYABLE")):
        reservation = shop.reservation(buyer=buyer)
        shop.tickets_says(reservation, status)
        assert shop.pay_again(buyer, reservation["orderId"]).code == code
    assert shop.pay_again(buyer, str(uuid4())).status == 404


def test_the_ways_to_pay(shop: Shop) -> None:
    reply = call(methods.handler, "GET", "/api/payments/methods")
    assert reply.status == 200
    card = {
        "type": "stripe",
        "displayName": "Card",
        "available": True,
        "publishableKey": "pk_test_1",
    }
    assert reply.body["items"][0] == card
    assert [item["type"] for item in reply.body["items"]] == ["stripe", "paypal", "free"]


def test_paypal_is_no_way_to_pay_without_an_account_there(shop: Shop, extension: Extension) -> None:
    extension.secrets[PAYPAL_SECRET_ARN] |= {"clientId": ""}
    reply = call(methods.handler, "GET", "/api/payments/methods")
    assert [item["type"] for item in reply.body["items"]] == ["stripe", "free"]


def test_the_service_says_that_it_is_well(shop: Shop) -> None:
    assert call(health.handler, "GET", "/api/health/payments").status == 200
