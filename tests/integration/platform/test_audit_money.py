"""The auditor finds money that is not as its order says: how much, in which currency, or not given back."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.payments import provider
from functions.payments.gateways.gateway import PaymentOutcome, RefundResult
from functions.payments.gateways.stripe_gateway import StripeGateway
from functions.platform import settings
from functions.tickets import releasing
from functions.tickets.database import database as tickets_database
from shared.clock import now
from tests.cloud import Extension
from tests.integration.payments.money import give_back_in_dashboard, intent_of
from tests.integration.platform.test_audit import found
from tests.whole_shop import WholeShop


def test_money_that_differs_is_found_in_both_directions(whole_shop: WholeShop) -> None:
    gone, twice, by_paypal = whole_shop.order(), whole_shop.order(), whole_shop.order(None, type="paypal")
    whole_shop.shop.approve(by_paypal)
    intent = whole_shop.shop.order(gone)["payment_gateway_transaction_id"]
    provider.stripe().refund(intent_id=intent, amount=Decimal("9.00"), key=str(uuid4()))
    nobody, nobody_there = str(uuid4()), str(uuid4())
    for order_id in (nobody, twice):
        assert pay_at_stripe(order_id) is PaymentOutcome.PAID
    pay_at_paypal(whole_shop, nobody_there)

    assert found(whole_shop) == {
        ("money", "an order claims money that the provider does not have", gone),
        ("money", "the provider has money that its order does not know of", twice),
        ("money", "the provider has money that no order knows of", nobody),
        ("money", "the provider has money that no order knows of", nobody_there),
    }
    assert found(whole_shop, atRestSeconds=1800) == set()


def test_money_that_moved_at_the_provider_a_moment_ago_is_not_judged_yet(whole_shop: WholeShop) -> None:
    order_id = whole_shop.order()
    for books, table, column in (
        (whole_shop.payments, "order_events", "created_at"),
        (whole_shop.tickets, "purchase_events", "created_at"),
        (whole_shop.tickets, "ticket_events", "created_at"),
        (whole_shop.mails, "notifications", "updated_at"),
    ):
        books.run(f"UPDATE {table} SET {column} = {column} - interval '1 hour'")
    intent = whole_shop.shop.order(order_id)["payment_gateway_transaction_id"]
    whole_shop.shop.stripe.client().v1.refunds.create({"payment_intent": intent, "amount": 900})

    assert found(whole_shop, atRestSeconds=1800) == set()
    claimed = ("money", "an order claims money that the provider does not have", order_id)
    assert found(whole_shop) == {claimed}


def test_prices_and_currencies_that_differ_are_found(whole_shop: WholeShop) -> None:
    price, currency, abroad = (whole_shop.order() for _ in range(3))
    whole_shop.tickets.run("UPDATE purchases SET total_amount = 1 WHERE order_id = %(id)s", id=price)
    whole_shop.tickets.run("UPDATE purchases SET currency = 'CHF' WHERE order_id = %(id)s", id=currency)
    for books, column in ((whole_shop.tickets, "order_id"), (whole_shop.payments, "id")):
        table = "purchases" if column == "order_id" else "orders"
        books.run(f"UPDATE {table} SET currency = 'CHF' WHERE {column} = %(id)s", id=abroad)

    assert {item for item in found(whole_shop) if item[0] != "history"} == {
        ("money", "an order's price is not its purchase's", price),
        ("money", "an order's price is not its purchase's", currency),
        ("money", "a payment is in another currency than its order", abroad),
    }


def test_money_that_the_provider_could_not_give_back_is_found_until_it_went_another_way(
    whole_shop: WholeShop, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = whole_shop.order("pm_card_refundFail")
    whole_shop.refund(owed)
    whole_shop.deliver()
    intent = str(whole_shop.shop.order(owed)["payment_gateway_transaction_id"])
    whole_shop.shop.webhook(intent, "refund.updated")
    whole_shop.deliver()
    still_owed = {("money", "money of an order without tickets has not gone back", owed)}
    assert found(whole_shop) == still_owed
    long_ago = "UPDATE {} SET {} = {} - interval '90 days' WHERE order_id = %(id)s"
    whole_shop.payments.run(long_ago.format("order_events", *["created_at"] * 2), id=owed)
    assert found(whole_shop, windowDays=2) == still_owed

    extension.parameters["audit_paid_back_elsewhere"] = f"no-id, {uuid4()}, {owed.upper()} "
    monkeypatch.setattr(settings.PAID_BACK_ELSEWHERE, "_good_until", 0.0)
    assert found(whole_shop) == set()


def test_the_price_of_one_void_ticket_that_did_not_go_back_is_found_until_it_does(
    whole_shop: WholeShop,
) -> None:
    owed, shop = whole_shop.order("pm_card_refundFail"), whole_shop.shop
    ticket_id = whole_shop.sales.tickets(owed)[0]["id"]
    whole_shop.refund(owed, [ticket_id])
    whole_shop.deliver()
    shop.webhook(intent_of(shop, owed), "refund.updated")
    whole_shop.deliver()
    assert [ticket["status"] for ticket in whole_shop.sales.tickets(owed)] == ["VOID", "ACTIVE"]
    assert found(whole_shop) == {("money", "money of an order without tickets has not gone back", owed)}

    whole_shop.refund(owed, [ticket_id])  # once more
    assert [what for _, what, _ in found(whole_shop)] == ["a refund has no answer"]


def test_a_second_payment_that_the_provider_could_not_give_back_is_found_until_it_went_another_way(
    whole_shop: WholeShop, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = whole_shop.order()
    whole_shop.payments.run(
        """
        INSERT INTO second_payments (provider, intent_id, order_id, refund_key, amount, status, created_at, updated_at)
        VALUES ('stripe', 'pi_second', %(id)s, gen_random_uuid(), 20, 'FAILED', now() - interval '90 days', now())
        """,
        id=twice,
    )
    assert found(whole_shop, windowDays=2) == {("limits", "a second payment did not go back", twice)}

    extension.parameters["audit_paid_back_elsewhere"] = twice
    monkeypatch.setattr(settings.PAID_BACK_ELSEWHERE, "_good_until", 0.0)
    assert found(whole_shop, windowDays=2) == set()


def test_money_that_came_back_after_a_dashboard_gave_it_back_is_found(whole_shop: WholeShop) -> None:
    order_id, shop = whole_shop.order("pm_card_refundFail"), whole_shop.shop
    give_back_in_dashboard(shop, order_id, 9900)
    for type_ in ("charge.refunded", "refund.updated"):
        shop.webhook(intent_of(shop, order_id), type_)
        whole_shop.deliver()
    assert found(whole_shop) == {("money", "money of an order without tickets has not gone back", order_id)}


def test_the_rest_of_a_partly_refunded_order_that_could_not_go_back_is_found(
    whole_shop: WholeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Any, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> Any:
        return RefundResult(f"re_{key}", intent_id, "failed", amount, key, "expired_or_canceled_card")

    order_id = whole_shop.order()
    first, _ = (ticket["id"] for ticket in whole_shop.sales.tickets(order_id))
    whole_shop.refund(order_id, [first])
    whole_shop.deliver()
    assert found(whole_shop) == set()
    monkeypatch.setattr(StripeGateway, "refund", fails)
    with tickets_database.transaction() as sql:
        releasing.void(sql, UUID(order_id), None, "EVENT_CANCELLED", now())
    whole_shop.deliver()

    assert found(whole_shop) == {("money", "money of an order without tickets has not gone back", order_id)}


def pay_at_stripe(order_id: str) -> PaymentOutcome:
    payment = provider.stripe().pay(
        order_id=order_id,
        intent_id=None,
        amount=Decimal("20.00"),
        currency="EUR",
        payment_token="pm_card_visa",
        attempt_key=str(uuid4()),
        payment_number=2,
    )
    return payment.outcome


def pay_at_paypal(whole_shop: WholeShop, order_id: str) -> None:
    def pay(intent_id: str | None) -> Any:
        return provider.paypal().pay(
            order_id=order_id,
            intent_id=intent_id,
            amount=Decimal("20.00"),
            currency="EUR",
            payment_token=None,
            attempt_key=str(uuid4()),
        )

    intent_id = pay(None).intent_id
    whole_shop.shop.paypal.approve(intent_id, "balance")
    assert pay(intent_id).outcome is PaymentOutcome.PAID
