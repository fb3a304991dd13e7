"""A purchase paid with PayPal: approved by its buyer there, captured by us, once."""

import pytest

from functions.payments import charging, provider
from functions.payments.database import database
from functions.payments.gateways.gateway import Failure, PaymentOutcome
from functions.payments.saga import refund_payment
from functions.payments.saga_models import Reservation
from shared.clock import now
from shared.contracts import OrderCancelled, OrderPaid, PaymentFailed
from tests.payments_shop import Shop
from tests.provider_server import eventually
from tests.support import a_user, context


def paypal_order(shop: Shop, **more: object) -> tuple[str, str]:
    """An order after Charge that waits for its buyer's approval, and the PayPal order."""
    order_id = shop.order_of(a_user(), None, method="paypal", **more)
    assert shop.status(order_id) == "REQUIRES_ACTION"
    return order_id, str(shop.order(order_id)["payment_gateway_transaction_id"])


def told(shop: Shop, text: str, type_: str) -> None:
    """PayPal's webhook arrives and is handled."""
    assert shop.paypal_webhook(text, type_).status == 200
    shop.deliver()


def captures(shop: Shop, order_id: str) -> list[str]:
    """The captures of an order, of all of its PayPal orders."""
    _, answer = shop.paypal.control("GET", "orders?limit=1000")
    return [item["capture"] for item in answer["items"] if item["orderId"] == order_id and item["capture"]]


def test_the_buyer_is_sent_to_paypal(shop: Shop) -> None:
    reservation = shop.reservation(method="paypal", token=None)
    assert shop.charge(reservation) == "action_required"
    order = shop.order(reservation["orderId"])
    assert order["approval_url"].endswith(f"token={order['payment_gateway_transaction_id']}")
    assert order["client_secret"] is None


def test_an_approval_that_a_webhook_tells_of_is_captured(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert shop.status(order_id) == "PAID"
    assert shop.order(order_id)["approval_url"] is None
    assert captures(shop, order_id) == ["COMPLETED"]
    assert len(shop.published(OrderPaid, order_id)) == 1


def test_the_same_webhook_again_changes_nothing(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id)
    for _ in range(3):
        told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert captures(shop, order_id) == ["COMPLETED"]
    assert shop.attempts(order_id) == ["SUPERSEDED", "SUCCEEDED"]


def test_an_approval_is_completed_by_the_buyer_who_comes_back(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    intent_id = shop.approve(order_id)
    assert shop.pay_with_paypal(buyer, order_id).status == 202
    assert shop.pay_with_paypal(buyer, order_id).code == "PAYMENT_IN_PROGRESS"
    shop.deliver()
    assert shop.status(order_id) == "PAID"
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")  # too late to matter
    assert captures(shop, order_id) == ["COMPLETED"]


def test_whoever_comes_back_without_approving_is_sent_again(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    shop.pay_with_paypal(buyer, order_id)
    shop.deliver()
    assert shop.status(order_id) == "REQUIRES_ACTION"
    assert shop.order(order_id)["approval_url"]


def test_a_refused_card_at_paypal_sends_the_buyer_there_again(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id, "declined")
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    order = shop.order(order_id)
    assert (order["payment_status"], order["failure_code"]) == ("REQUIRES_ACTION", "instrument_declined")
    assert order["approval_url"].endswith(f"token={intent_id}")
    assert len(shop.published(PaymentFailed, order_id)) == 1
    buyer_again = len(shop.paypal_endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED"))
    shop.approve(order_id)
    eventually(lambda: len(shop.paypal_endpoint.of(intent_id, "CHECKOUT.ORDER.APPROVED")) == buyer_again + 1)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert shop.status(order_id) == "PAID"
    assert shop.order(order_id)["failure_code"] is None


def test_a_decline_keeps_the_seats_and_another_provider_is_paid(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    intent_id = shop.approve(order_id, "refused")
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert shop.status(order_id) == "PAYMENT_FAILED"
    assert shop.pay_again(buyer, order_id).status == 202
    shop.deliver()
    assert (shop.status(order_id), shop.order(order_id)["payment_method"]) == ("PAID", "stripe")
    assert provider.paypal().fetch(intent_id).outcome is PaymentOutcome.CANCELLED


def test_changing_providers_cancels_at_the_first_one_first(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_with_paypal(buyer, order_id)
    shop.deliver()
    assert [intent["status"] for intent in shop.intents(order_id)] == ["canceled"]
    first = shop.order(order_id)
    assert (first["payment_status"], first["payment_method"]) == ("REQUIRES_ACTION", "paypal")
    assert "PAYMENT_METHOD_CHANGED" in shop.history(order_id)

    shop.pay_again(buyer, order_id, "pm_card_chargeDeclined")  # back to a card
    shop.deliver()
    left = str(first["payment_gateway_transaction_id"])
    assert provider.paypal().fetch(left).outcome is PaymentOutcome.CANCELLED
    shop.paypal.approve(left)  # in the other window
    told(shop, left, "CHECKOUT.ORDER.APPROVED")
    assert (shop.status(order_id), captures(shop, order_id)) == ("PAYMENT_FAILED", [])

    shop.pay_with_paypal(buyer, order_id)  # and to PayPal again
    shop.deliver()
    shop.approve(order_id)
    shop.pay_with_paypal(buyer, order_id)
    shop.deliver()
    assert (shop.status(order_id), captures(shop, order_id)) == ("PAID", ["COMPLETED"])
    assert shop.order(order_id)["payment_number"] == 4


def test_whoever_has_paid_at_the_first_provider_does_not_pay_at_the_second(shop: Shop) -> None:
    """The approval was captured, but nobody heard of it: leaving PayPal finds the money there."""
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    shop.approve(order_id)
    shop.pay_with_paypal(buyer, order_id)
    with database.transaction() as sql:
        row = sql.one(
            "SELECT id FROM payment_transactions WHERE order_id = %(id)s AND status = 'OPEN'", id=order_id
        )
        assert row is not None
        due = charging.resume(sql, row["id"], now())
    assert due is not None
    charging.carry_out(provider.paypal(), due)  # and here it died
    with database.transaction() as sql:
        charging.record(sql, due.attempt, charging.UNAVAILABLE, now())
    shop.pay_again(buyer, order_id)
    shop.deliver()
    assert (shop.status(order_id), shop.order(order_id)["payment_method"]) == ("PAID", "paypal")
    assert shop.intents(order_id) == []


def test_what_is_not_paid_in_time_is_cancelled_and_a_late_approval_is_not_captured(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    assert shop.cancel(order_id) == "cancelled"
    shop.paypal.approve(intent_id)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert (shop.status(order_id), captures(shop, order_id)) == ("CANCELLED", [])
    assert len(shop.published(OrderCancelled, order_id)) == 1


@pytest.mark.parametrize("over", ["pay_by = now()", "cancel_requested_at = now()"])
def test_an_approval_of_an_order_that_is_about_to_end_begins_no_attempt(shop: Shop, over: str) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.db.run(f"UPDATE orders SET {over} WHERE id = %(id)s", id=order_id)
    shop.approve(order_id)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert (shop.status(order_id), shop.attempts(order_id)) == ("REQUIRES_ACTION", ["ACTION_REQUIRED"])
    assert shop.order(order_id)["approval_url"]


def test_a_capture_that_nobody_heard_of_is_found_by_cancelling(shop: Shop) -> None:
    order_id, _ = paypal_order(shop)
    shop.approve(order_id)
    with database.transaction() as sql:
        row = sql.one("SELECT id FROM payment_transactions WHERE order_id = %(id)s", id=order_id)
        assert row is not None
    provider.paypal().pay(
        order_id=order_id,
        intent_id=str(shop.order(order_id)["payment_gateway_transaction_id"]),
        amount=shop.order(order_id)["total_amount"],
        currency="USD",
        payment_token=None,
        attempt_key=str(row["id"]),
    )
    assert shop.cancel(order_id) == "paid"
    assert shop.status(order_id) == "PAID"


def test_an_order_whose_paypal_order_was_never_recorded_is_cancelled_there(shop: Shop) -> None:
    reservation = shop.reservation(method="paypal", token=None)
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    made = charging.carry_out(provider.paypal(), due)  # and here it died
    assert not isinstance(made, Failure)
    assert shop.cancel(reservation["orderId"]) == "cancelled"
    assert provider.paypal().fetch(made.intent_id).outcome is PaymentOutcome.CANCELLED


@pytest.mark.parametrize("mode", ["error", "kill_before", "kill_after"])
def test_trouble_while_capturing_is_tried_again_and_charges_once(shop: Shop, mode: str) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    shop.approve(order_id)
    shop.paypal.fault(mode, operation="orders.capture")
    shop.pay_with_paypal(buyer, order_id)
    shop.deliver()
    assert (shop.status(order_id), captures(shop, order_id)) == ("PAID", ["COMPLETED"])


def test_a_payment_under_review_waits_for_paypal(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id, "review")
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    assert (shop.status(order_id), shop.attempts(order_id)[-1]) == ("PENDING", "PROCESSING")
    shop.paypal.review(intent_id, "succeed")
    told(shop, intent_id, "PAYMENT.CAPTURE.COMPLETED")
    assert shop.status(order_id) == "PAID"


def test_money_goes_back_through_paypal(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    refund_payment.handler({"orderId": order_id, "reason": "TICKETS_NOT_ISSUED"}, context())
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"
    told(shop, intent_id, "PAYMENT.CAPTURE.COMPLETED")
    assert shop.status(order_id) == "REFUNDED"


def test_a_refund_made_at_paypal_is_taken_over(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id)
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    shop.issue(order_id)
    refund = provider.paypal().refund(
        intent_id=intent_id, amount=shop.order(order_id)["total_amount"], key="by-hand"
    )
    told(shop, refund.refund_id, "PAYMENT.CAPTURE.REFUNDED")
    assert shop.status(order_id) == "REFUNDED"


def test_a_dispute_marks_the_order(shop: Shop) -> None:
    order_id, intent_id = paypal_order(shop)
    shop.approve(order_id, "dispute")
    told(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    told(shop, order_id, "CUSTOMER.DISPUTE.CREATED")
    assert shop.status(order_id) == "DISPUTED"
