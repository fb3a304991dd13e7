"""An order that was paid by two payments: the second goes back, once, and the order is as it was."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import create_autospec
from uuid import UUID, uuid4

import pytest

from functions.payments import charging, provider, second_payments
from functions.payments.consumers import webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import GatewayRefused, PaymentGateway, RefundResult
from functions.payments.jobs import resume_payments
from functions.payments.models import RefundStatus
from functions.payments.repository import attempts
from shared.clock import now
from tests.contracts.tills import ask
from tests.integration.payments.money import sweep
from tests.payments_shop import Shop
from tests.support import a_user, context


@pytest.fixture
def order_id(shop: Shop) -> str:
    return shop.order_of(a_user())


def pay_a_second_time(
    shop: Shop, order_id: str, more: str = "0.00", currency: str = "USD", *, card: str = "pm_card_visa"
) -> str:
    """Money at Stripe that names the order but is not the order's payment; its intent."""
    total = Decimal(shop.order(order_id)["total_amount"])
    paid = provider.stripe().pay(
        order_id=order_id,
        intent_id=None,
        amount=total + Decimal(more),
        currency=currency,
        payment_token=card,
        attempt_key=str(uuid4()),
        payment_number=2,
    )
    return paid.intent_id


def reprice(shop: Shop, order_id: str) -> None:
    """As if the order had always cost something else than its provider was asked for."""
    shop.db.run("UPDATE orders SET total_amount = 120 WHERE id = %(id)s", id=order_id)
    shop.db.run(
        """
        UPDATE order_events SET data = data || '{"totalAmount": "120.00"}'
         WHERE order_id = %(id)s AND type = 'ORDER_CREATED'
        """,
        id=order_id,
    )


def left_at_stripe(shop: Shop, order_id: str) -> list[int]:
    """Cents that Stripe has for each payment of the order, oldest first."""
    taken = [item for item in shop.intents(order_id) if item["status"] == "succeeded"]
    return [item["amount"] - item["amountRefunded"] for item in taken]


def amounts(shop: Shop, order_id: str) -> list[Any]:
    row = shop.order(order_id)
    return [
        row[name] for name in ("payment_status", "captured_amount", "refunding_amount", "refunded_amount")
    ]


def test_the_second_payment_of_an_order_goes_back(shop: Shop, order_id: str) -> None:
    before = amounts(shop, order_id)
    intent_id = pay_a_second_time(shop, order_id)
    assert min(left_at_stripe(shop, order_id)) > 0

    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()

    assert sorted(left_at_stripe(shop, order_id)) == [0, int(before[1] * 100)]
    assert amounts(shop, order_id) == before
    assert shop.history(order_id)[-2:] == ["PAID_TWICE", "SECOND_PAYMENT_REFUNDED"]


def test_one_that_an_attempt_learns_of_goes_back_though_no_webhook_tells_of_it(
    shop: Shop, order_id: str
) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    for _ in range(2):
        with database.transaction() as sql:
            attempt = attempts.get(sql, attempts.last_of(sql, UUID(order_id)))
            assert attempt is not None
            charging.record(sql, attempt, provider.stripe().fetch(intent_id), now())
    shop.deliver()
    assert sorted(left_at_stripe(shop, order_id)) == [0, 9900]
    assert shop.history(order_id).count("PAID_TWICE") == 1


def test_hearing_of_it_again_changes_nothing(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    for _ in range(2):
        shop.webhook(intent_id, "payment_intent.succeeded")
        shop.deliver()
    shop.webhook(intent_id, "charge.refunded")
    shop.deliver()

    assert shop.history(order_id).count("PAID_TWICE") == 1
    assert sorted(left_at_stripe(shop, order_id))[0] == 0
    assert shop.status(order_id) == "PAID"


def test_what_somebody_gave_back_by_hand_has_gone_back(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    total = Decimal(shop.order(order_id)["total_amount"])
    provider.stripe().refund(intent_id=intent_id, amount=total, key=str(uuid4()), reason="By hand")

    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()

    assert shop.history(order_id)[-2:] == ["PAID_TWICE", "SECOND_PAYMENT_REFUNDED"]
    assert sorted(left_at_stripe(shop, order_id)) == [0, int(total * 100)]


def become_of(shop: Shop) -> str:
    [row] = shop.db.all("SELECT status FROM second_payments")
    return str(row["status"])


def test_a_refund_of_it_that_fails_later_is_known_to_have_failed(
    shop: Shop, order_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    intent_id = pay_a_second_time(shop, order_id, card="pm_card_refundFail")
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()
    assert become_of(shop) == "SUCCEEDED"
    for _ in range(2):
        shop.webhook(intent_id, "refund.updated")
        shop.deliver()
        sweep(shop)

    assert become_of(shop) == "FAILED"
    assert shop.history(order_id)[-2:] == ["SECOND_PAYMENT_REFUNDED", "SECOND_PAYMENT_REFUND_FAILED"]
    assert capsys.readouterr().out.count('"RefundsFailed": [1]') == 1, "an alarm rings"
    assert min(left_at_stripe(shop, order_id)) > 0


def test_a_refund_of_it_by_hand_that_fails_later_is_known_to_have_failed(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id, card="pm_card_refundFail")
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id})
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()
    assert become_of(shop) == "SUCCEEDED"

    shop.webhook(intent_id, "refund.updated")
    shop.deliver()

    assert become_of(shop) == "FAILED"
    assert amounts(shop, order_id)[0] == "PAID"


def test_a_refund_of_it_that_is_pending_has_not_gone_back_until_the_provider_says_so(
    shop: Shop, order_id: str
) -> None:
    intent_id = pay_a_second_time(shop, order_id, card="pm_card_pendingRefund")
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()
    with database.reading() as sql:
        due = second_payments.due(sql, "stripe", intent_id)
    assert due is not None
    on_its_way = RefundResult("re_1", intent_id, "pending", Decimal("99.00"), str(due.refund_key))
    gateway = create_autospec(PaymentGateway, instance=True)
    gateway.fetch.return_value, gateway.refund.return_value = provider.stripe().fetch(intent_id), on_its_way
    assert gateway.fetch.return_value.amount_refunded == Decimal("99.00"), "as if it had gone"
    assert second_payments.carry_out(gateway, due) is None

    shop.webhook(intent_id, "refund.updated")
    shop.deliver()

    assert become_of(shop) == "SUCCEEDED"


def test_what_failed_and_was_given_back_by_hand_then_has_gone_back(shop: Shop, order_id: str) -> None:
    seen = provider.stripe().fetch(pay_a_second_time(shop, order_id))
    gateway = create_autospec(PaymentGateway, instance=True)
    gateway.fetch.return_value = replace(seen, amount_refunded=seen.amount)
    gateway.refund.return_value = RefundResult("re_1", seen.intent_id, "failed", seen.amount, "key")
    due = second_payments.Due("stripe", seen.intent_id, UUID(order_id), uuid4())

    assert second_payments.carry_out(gateway, due) is RefundStatus.SUCCEEDED


def test_two_that_gave_it_back_at_once_say_so_once(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    shop.webhook(intent_id, "payment_intent.succeeded")
    with database.reading() as sql:
        assert second_payments.due(sql, "stripe", intent_id) is None, "its message has not come"
    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])
    with database.reading() as sql:
        due = second_payments.due(sql, "stripe", intent_id)
    assert due is not None
    for _ in range(2):
        with database.transaction() as sql:
            second_payments.record(sql, due, RefundStatus.SUCCEEDED, now())

    assert shop.history(order_id).count("SECOND_PAYMENT_REFUNDED") == 1


def test_two_that_look_before_either_gives_it_back_give_it_back_once(shop: Shop, order_id: str) -> None:
    intent_id, stripe = pay_a_second_time(shop, order_id), provider.stripe()
    seen = stripe.fetch(intent_id)
    both = create_autospec(PaymentGateway, instance=True)
    both.fetch.return_value, both.refund.side_effect = seen, stripe.refund
    due = second_payments.Due("stripe", intent_id, UUID(order_id), uuid4())

    assert [second_payments.carry_out(both, due) for _ in range(2)] == [RefundStatus.SUCCEEDED] * 2

    assert sorted(left_at_stripe(shop, order_id))[0] == 0


def test_a_refusal_ends_it_only_if_the_money_is_not_there_any_more(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    refusing = create_autospec(PaymentGateway, instance=True)
    refusing.fetch.return_value = provider.stripe().fetch(intent_id)
    due = second_payments.Due("stripe", intent_id, UUID(order_id), uuid4())

    refusing.refund.side_effect = GatewayRefused("refunds.create", "balance_insufficient")
    with pytest.raises(GatewayRefused):
        second_payments.carry_out(refusing, due)
    refusing.refund.side_effect = GatewayRefused("refunds.create", "charge_disputed")
    assert second_payments.carry_out(refusing, due) is RefundStatus.FAILED


def test_a_command_that_was_lost_is_sent_again_by_the_sweep(shop: Shop, order_id: str) -> None:
    intent_id = pay_a_second_time(shop, order_id)
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])
    lost = len(shop.aws.messages("payments-refunds"))
    assert lost == 1
    shop.skip("payments-webhooks", "payments-refunds")

    assert resume_payments.handler({}, context()) == {"handled": 0}
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    shop.deliver()

    assert sorted(left_at_stripe(shop, order_id))[0] == 0
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}


def test_the_money_of_a_payment_that_was_left_pays_an_order_that_has_no_other(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    intent_id = pay_a_second_time(shop, order_id)

    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()

    assert shop.status(order_id) == "PAID"
    assert shop.order(order_id)["payment_gateway_transaction_id"] == intent_id
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}


def test_money_that_came_at_another_provider_than_the_order_was_at_goes_back_there(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    intent_id = ask(provider.paypal(), order_id, None, None, str(uuid4())).intent_id
    shop.paypal.approve(intent_id)
    ask(provider.paypal(), order_id, None, intent_id, str(uuid4()))
    shop.paypal_webhook(intent_id, "PAYMENT.CAPTURE.COMPLETED")
    shop.deliver()
    shop.issue(order_id)

    assert shop.ask_refund(order_id).status == 202
    shop.deliver()

    assert shop.status(order_id) == "REFUNDED"
    assert provider.paypal().fetch(intent_id).amount_refunded == Decimal("99.00")


@pytest.mark.parametrize(("more", "currency"), [("-0.01", "USD"), ("0.01", "USD"), ("0.00", "EUR")])
def test_a_payment_of_another_price_does_not_pay_the_order_and_goes_back(
    shop: Shop, more: str, currency: str
) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    waiting = shop.order(order_id)
    intent_id = pay_a_second_time(shop, order_id, more, currency)

    for _ in range(2):
        shop.webhook(intent_id, "payment_intent.succeeded")
        shop.deliver()
    shop.webhook(intent_id, "charge.refunded")
    shop.deliver()

    assert left_at_stripe(shop, order_id) == [0]
    assert amounts(shop, order_id) == ["REQUIRES_ACTION", 0, 0, 0]
    assert shop.history(order_id)[-2:] == ["PAID_WRONG_AMOUNT", "SECOND_PAYMENT_REFUNDED"]
    assert shop.order(order_id)["payment_gateway_transaction_id"] == waiting["payment_gateway_transaction_id"]
    shop.webhook(shop.authenticate(order_id), "payment_intent.succeeded")
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def test_an_orders_own_payment_of_another_price_is_given_up_for_another_one(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    reprice(shop, order_id)
    shop.webhook(shop.authenticate(order_id), "payment_intent.succeeded")
    shop.deliver()
    assert amounts(shop, order_id)[:2] == ["REQUIRES_ACTION", 0]
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()

    assert sorted(left_at_stripe(shop, order_id)) == [0, 12000]
    assert amounts(shop, order_id)[:2] == ["PAID", 120]


def test_an_order_whose_payment_was_of_another_price_ends_when_its_time_is_over(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    reprice(shop, order_id)
    shop.authenticate(order_id)

    assert shop.cancel(order_id) == "cancelled"

    shop.deliver()
    assert left_at_stripe(shop, order_id) == [0]
    assert amounts(shop, order_id)[:2] == ["CANCELLED", 0]
