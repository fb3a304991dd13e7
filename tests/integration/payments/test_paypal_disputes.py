"""Disputes at PayPal have the effects of those at Stripe, though their webhooks name the capture alone."""

from decimal import Decimal
from typing import Any

import pytest

from functions.payments import provider
from functions.payments.gateways.paypal_answers import dispute_result
from shared.contracts import LatePaymentReceived, OrderDisputed, OrderRefunded
from tests.integration.payments.test_calling_off import void
from tests.payments_shop import Shop
from tests.provider_server import eventually
from tests.support import a_user


def disputed(shop: Shop, funding: str = "dispute") -> tuple[str, list[str], str]:
    """An issued order whose capture is disputed, its tickets, and the capture."""
    order_id = shop.order_of(a_user(), None, method="paypal")
    intent_id = shop.approve(order_id, funding)
    hear(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    capture_id = provider.paypal().fetch(intent_id).charge_id
    assert capture_id
    hear(shop, capture_id, "CUSTOMER.DISPUTE.CREATED")
    return order_id, ids, capture_id


def hear(shop: Shop, text: str, type_: str) -> None:
    assert shop.paypal_webhook(text, type_).status == 200
    shop.deliver()


def decide(shop: Shop, capture_id: str, outcome: str) -> None:
    shop.paypal.dispute(capture_id, outcome)
    hear(
        shop, capture_id, "CUSTOMER.DISPUTE.UPDATED" if outcome == "escalate" else "CUSTOMER.DISPUTE.RESOLVED"
    )


def at_paypal(shop: Shop, order_id: str) -> tuple[int, int]:
    """What PayPal refunded of the order, and what it took back, in cents."""
    _, answer = shop.paypal.control("GET", "orders?limit=1000")
    [item] = [item for item in answer["items"] if item["orderId"] == order_id]
    return item["amountRefunded"], item["amountLost"]


def test_a_dispute_is_shown_and_told_so_that_the_tickets_are_void(shop: Shop) -> None:
    order_id, ids, _ = disputed(shop)
    assert shop.status(order_id) == "DISPUTED"
    assert len(shop.published(OrderDisputed, order_id)) == 1
    void(shop, order_id, *ids, reason="DISPUTED")
    assert shop.ask_refund(order_id).code == "ORDER_NOT_REFUNDABLE"


def test_an_inquiry_is_only_a_question_until_it_becomes_a_claim(shop: Shop) -> None:
    order_id, _, capture_id = disputed(shop, "inquiry")
    assert (shop.status(order_id), shop.published(OrderDisputed, order_id)) == ("PAID", [])

    decide(shop, capture_id, "escalate")

    assert shop.status(order_id) == "DISPUTED"
    assert len(shop.published(OrderDisputed, order_id)) == 1


def test_a_dispute_that_is_lost_has_taken_the_money_through_paypal(shop: Shop) -> None:
    order_id, ids, capture_id = disputed(shop)
    void(shop, order_id, *ids, reason="DISPUTED")
    decide(shop, capture_id, "lose")
    hear(shop, capture_id, "PAYMENT.CAPTURE.REVERSED")
    hear(shop, capture_id, "CUSTOMER.DISPUTE.RESOLVED")

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert shop.history(order_id).count("DISPUTE_LOST") == 1
    assert at_paypal(shop, order_id) == (0, 9900)
    assert shop.published(OrderRefunded, order_id) == [], "it is PayPal that pays, and tells"


def test_a_dispute_that_is_won_asks_for_the_seats_again(shop: Shop) -> None:
    order_id, ids, capture_id = disputed(shop)
    void(shop, order_id, *ids, reason="DISPUTED")
    decide(shop, capture_id, "win")
    hear(shop, capture_id, "CUSTOMER.DISPUTE.RESOLVED")

    assert (shop.status(order_id), shop.order(order_id)["dispute"]) == ("DISPUTED", "WON")
    assert len(shop.published(LatePaymentReceived, order_id)) == 1
    hear(shop, capture_id, "CUSTOMER.DISPUTE.CREATED")
    assert shop.order(order_id)["dispute"] == "WON", "old news"


def test_the_news_of_a_decision_may_be_the_first_of_the_dispute(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), None, method="paypal")
    intent_id = shop.approve(order_id, "dispute")
    hear(shop, intent_id, "CHECKOUT.ORDER.APPROVED")
    capture_id = provider.paypal().fetch(intent_id).charge_id
    assert capture_id
    eventually(lambda: shop.paypal_endpoint.of(capture_id, "CUSTOMER.DISPUTE.CREATED"))

    decide(shop, capture_id, "lose")

    assert (shop.status(order_id), shop.order(order_id)["dispute"]) == ("REFUNDED", "LOST")
    assert len(shop.published(OrderDisputed, order_id)) == 1


@pytest.mark.parametrize(("outcome", "status"), [("win", "won"), ("lose", "lost")])
def test_the_gateway_tells_of_a_dispute(shop: Shop, outcome: str, status: str) -> None:
    _, _, capture_id = disputed(shop)
    [delivery] = shop.paypal_endpoint.of(capture_id, "CUSTOMER.DISPUTE.CREATED")
    dispute_id = delivery.event["resource"]["dispute_id"]
    found = provider.paypal().fetch_dispute(dispute_id)
    assert (found.dispute_id, found.status, found.amount) == (dispute_id, "open", Decimal("99.00"))

    shop.paypal.dispute(capture_id, outcome)

    assert provider.paypal().fetch_dispute(dispute_id).status == status


@pytest.mark.parametrize(
    ("outcome", "amount"),
    [
        (
            {"outcome_code": "ACCEPTED", "amount_refunded": {"currency_code": "USD", "value": "30.00"}},
            "30.00",
        ),
        (
            {"outcome_code": "ACCEPTED", "amount_refunded": {"currency_code": "EUR", "value": "30.00"}},
            "99.00",
        ),
        ({"outcome_code": "RESOLVED_BUYER_FAVOUR"}, "99.00"),
    ],
)
def test_a_dispute_that_was_settled_for_a_part_has_taken_that_part(
    outcome: dict[str, Any], amount: str
) -> None:
    told = {
        "dispute_id": "PP-D-1",
        "status": "RESOLVED",
        "dispute_amount": {"currency_code": "USD", "value": "99.00"},
        "dispute_outcome": outcome,
    }
    result = dispute_result(told)
    assert (result.status, result.amount) == ("lost", Decimal(amount))
