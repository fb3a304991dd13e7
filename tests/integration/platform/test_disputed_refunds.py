"""Disputes and refunds of the same money: each takes it once, in whatever order they are decided."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest

from functions.payments import provider, refund_outcomes, webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import RefundResult
from functions.payments.repository import orders
from shared.clock import now
from shared.contracts import LatePaymentReceived, OrderChanged, OrderDisputed, RefundRequested
from tests.integration.payments.money import intent_of, sweep
from tests.integration.payments.test_dashboard import given_back, hear_that_one_failed
from tests.integration.payments.test_disputes import bank_says, bought, decide
from tests.payments_shop import Shop
from tests.properties import payment_rows
from tests.whole_shop import WholeShop

Outcome = Literal["succeeded", "failed"]


@pytest.fixture(autouse=True)
def _rows_add_up(shop: Shop) -> Any:
    yield
    payment_rows.check(shop.db)


def standing(shop: Shop, order_id: str) -> tuple[str, str | None, str]:
    """Payment status, dispute, and how much has gone back."""
    order = shop.order(order_id)
    return order["payment_status"], order["dispute"], str(order["refunded_amount"])


def hear_that_all_went_back(shop: Shop, order_id: str) -> None:
    """Somebody gave all of it back in the provider's dashboard."""
    with database.transaction() as sql:
        before = orders.get(sql, UUID(order_id))
        answer = provider.stripe().fetch(intent_of(shop, order_id))
        webhooks.hear(sql, "stripe", before, replace(answer, amount_refunded=Decimal("99.00")), now())


@pytest.mark.parametrize("is_open_before", [True, False])
def test_money_that_comes_back_is_disputed_if_a_dispute_is_open(shop: Shop, is_open_before: bool) -> None:
    order_id, _ = bought(shop)
    if is_open_before:
        bank_says(order_id, "open", "99.00")
    hear_that_all_went_back(shop, order_id)
    bank_says(order_id, "open", "99.00")
    assert shop.status(order_id) == "REFUNDED"

    hear_that_one_failed(shop, order_id, "99.00", total="0.00")
    sweep(shop)

    assert standing(shop, order_id) == ("DISPUTED", "OPEN", "0.00")
    assert shop.published(LatePaymentReceived, order_id) == [], "its bank decides"
    assert len(shop.published(OrderDisputed, order_id)) == 1
    bank_says(order_id, "lost", "99.00")
    assert standing(shop, order_id) == ("REFUNDED", "LOST", "99.00")


def test_money_whose_refund_fails_after_its_dispute_was_won_does_not_ask_for_seats(shop: Shop) -> None:
    order_id, _ = bought(shop)
    hear_that_all_went_back(shop, order_id)
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    hear_that_one_failed(shop, order_id, "99.00", total="0.00")
    sweep(shop)
    assert standing(shop, order_id) == ("CANCELLED", "WON", "0.00")
    assert shop.published(LatePaymentReceived, order_id) == []


def asked_for(shop: Shop, order_id: str, amount: str) -> UUID:
    """A refund that the provider has not been asked for yet."""
    answer = shop.ask_refund(order_id, amount=amount)
    assert answer.status == 202
    return UUID(answer.body["refundId"])


def outcome(refund_id: UUID, shop: Shop, order_id: str, status: Outcome, amount: str) -> None:
    """The provider has decided on the refund."""
    told = RefundResult(
        "re_1", intent_of(shop, order_id), status, Decimal(amount), str(refund_id), "lost_card"
    )
    with database.transaction() as sql:
        refund_outcomes.record(sql, refund_id, told, now())


@pytest.mark.parametrize("first", [["failed"], ["succeeded", "failed"]])
@pytest.mark.parametrize("ours", ["40.00", "99.00"])
def test_what_a_bank_took_is_taken_from_what_comes_back_of_a_refund(
    shop: Shop, ours: str, first: list[Outcome]
) -> None:
    order_id, _ = bought(shop)
    refund_id = asked_for(shop, order_id, ours)
    bank_says(order_id, "lost", "99.00")
    rest = str(Decimal("99.00") - Decimal(ours))
    assert standing(shop, order_id) == ("DISPUTED", "LOST", rest)

    for status in first:
        outcome(refund_id, shop, order_id, status, ours)
        assert standing(shop, order_id) == ("REFUNDED", "LOST", "99.00")

    for status in first:  # heard again
        outcome(refund_id, shop, order_id, status, ours)
    assert standing(shop, order_id) == ("REFUNDED", "LOST", "99.00")


def test_no_more_is_taken_than_a_bank_took(shop: Shop) -> None:
    order_id, _ = bought(shop)
    refund_id = asked_for(shop, order_id, "40.00")
    bank_says(order_id, "open", "70.00")
    bank_says(order_id, "lost", "50.00")
    assert standing(shop, order_id) == ("DISPUTED", "LOST", "50.00")
    outcome(refund_id, shop, order_id, "failed", "40.00")
    assert standing(shop, order_id) == ("DISPUTED", "LOST", "50.00")
    bank_says(order_id, "lost", "20.00", dispute="dp_2")
    assert standing(shop, order_id) == ("DISPUTED", "LOST", "70.00")


def test_books_are_the_provider_s_after_a_dispute_was_lost_while_a_refund_was_on_its_way(
    whole_shop: WholeShop,
) -> None:
    order_id, shop = whole_shop.order("pm_card_createDispute"), whole_shop.shop
    whole_shop.refund(order_id)
    whole_shop.deliver(losing=RefundRequested.TYPE)
    decide(shop, order_id, "losing_evidence")
    whole_shop.deliver()
    sweep(shop)  # asks for the refund, which Stripe refuses
    whole_shop.deliver()

    assert standing(shop, order_id) == ("REFUNDED", "LOST", "99.00")
    assert whole_shop.findings() == []


def test_a_part_given_back_in_a_dashboard_leaves_the_tickets_valid(whole_shop: WholeShop) -> None:
    order_id, shop = whole_shop.order(), whole_shop.shop
    given_back(shop, order_id, 100)
    whole_shop.deliver()

    assert standing(shop, order_id) == ("PARTIALLY_REFUNDED", None, "1.00")
    assert [ticket["status"] for ticket in whole_shop.sales.tickets(order_id)] == ["ACTIVE"] * 2
    assert whole_shop.findings() == []

    given_back(shop, order_id, 9800)
    whole_shop.deliver()
    assert standing(shop, order_id) == ("REFUNDED", None, "99.00")
    assert [ticket["status"] for ticket in whole_shop.sales.tickets(order_id)] == ["VOID"] * 2
    assert whole_shop.findings() == []


def test_a_ticket_refunded_before_a_won_dispute_stays_in_the_order_s_list(whole_shop: WholeShop) -> None:
    order_id, shop = whole_shop.order(), whole_shop.shop
    refunded, kept = (ticket["id"] for ticket in whole_shop.sales.tickets(order_id))
    whole_shop.refund(order_id, [refunded])
    whole_shop.deliver()
    for status in ("open", "won"):
        bank_says(order_id, status, "49.50")
        whole_shop.deliver()

    tickets = {ticket["id"]: ticket["status"] for ticket in shop.order(order_id)["tickets"]}
    assert tickets == {str(refunded): "VOID", str(kept): "ACTIVE"}
    published = [told for told in whole_shop.published(OrderChanged) if told["orderId"] == order_id]
    told = published[-1]
    assert told["paymentStatus"] == "PARTIALLY_REFUNDED"
    [made] = told["refunds"]
    assert [share["amount"] for share in made["shares"]] == ["49.50"], "the sales figures of its type"
    assert whole_shop.findings() == []
