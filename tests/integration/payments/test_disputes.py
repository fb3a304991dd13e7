"""Disputes: the order shows them, its tickets are void while one is open, and the bank's word is final."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from functions.payments import disputes, provider, webhooks
from functions.payments.consumers import tickets
from functions.payments.database import database
from functions.payments.gateways.gateway import DisputeResult, DisputeStatus, RefundResult
from functions.payments.gateways.stripe_gateway import StripeGateway
from functions.payments.jobs import resume_payments
from functions.payments.repository import orders
from shared.clock import now
from shared.contracts import (
    LatePaymentReceived,
    LatePaymentRefused,
    OrderDisputed,
    OrderIssued,
    OrderRefunded,
)
from tests.integration.payments.test_calling_off import void
from tests.payments_shop import Shop
from tests.stripe_server import eventually
from tests.support import a_user, context


def disputed(shop: Shop, token: str = "pm_card_createDispute") -> tuple[str, list[str]]:
    """An issued order whose payment is disputed; its tickets."""
    order_id = shop.order_of(a_user(), token)
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    hear(shop, order_id, "charge.dispute.created")
    return order_id, ids


def hear(shop: Shop, order_id: str, type_: str) -> None:
    shop.webhook(intent_of(shop, order_id), type_)
    shop.deliver()


def intent_of(shop: Shop, order_id: str) -> str:
    return str(shop.order(order_id)["payment_gateway_transaction_id"])


def decide(shop: Shop, order_id: str, evidence: str) -> None:
    """What Stripe's test mode reads as evidence that wins, or loses."""
    eventually(lambda: shop.endpoint.of(intent_of(shop, order_id), "charge.dispute.created"))
    [delivery] = shop.endpoint.of(intent_of(shop, order_id), "charge.dispute.created")
    dispute: Any = delivery.event["data"]["object"]
    shop.stripe.client().v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": evidence}})
    hear(shop, order_id, "charge.dispute.closed")


def bank_says(order_id: str, status: DisputeStatus, amount: str, *, dispute: str = "dp_1") -> None:
    """What a provider's news of a dispute come to, for one about a part of the money."""
    with database.transaction() as sql:
        order = orders.lock(sql, UUID(order_id))
        assert order is not None
        intent_id = order.payment_gateway_transaction_id
        disputes.record(sql, order, DisputeResult(dispute, intent_id, status, Decimal(amount)), now())


def test_a_dispute_is_shown_and_told_so_that_the_tickets_are_void(shop: Shop) -> None:
    order_id, ids = disputed(shop)
    assert shop.status(order_id) == "DISPUTED"
    assert len(shop.published(OrderDisputed, order_id)) == 1
    void(shop, order_id, *ids, reason="DISPUTED")
    assert {ticket["status"] for ticket in shop.order(order_id)["tickets"]} == {"VOID"}
    assert shop.ask_refund(order_id).code == "ORDER_NOT_REFUNDABLE"


def test_an_inquiry_is_only_a_question(shop: Shop) -> None:
    order_id, _ = disputed(shop, "pm_card_createDisputeInquiry")
    assert (shop.status(order_id), shop.published(OrderDisputed, order_id)) == ("PAID", [])
    decide(shop, order_id, "losing_evidence")
    assert shop.status(order_id) == "PAID"


def test_a_dispute_that_is_lost_has_taken_the_money_through_the_bank(shop: Shop) -> None:
    order_id, ids = disputed(shop)
    void(shop, order_id, *ids, reason="DISPUTED")
    decide(shop, order_id, "losing_evidence")
    hear(shop, order_id, "charge.dispute.closed")

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert shop.history(order_id).count("DISPUTE_LOST") == 1
    [intent] = shop.intents(order_id)
    assert (intent["amountRefunded"], intent["amountLost"]) == (0, 9900)
    assert shop.published(OrderRefunded, order_id) == [], "it is the bank that pays, and tells"


def test_a_dispute_that_is_won_asks_for_the_seats_again(shop: Shop) -> None:
    order_id, ids = disputed(shop)
    void(shop, order_id, *ids, reason="DISPUTED")
    decide(shop, order_id, "winning_evidence")
    hear(shop, order_id, "charge.dispute.closed")

    assert shop.status(order_id) == "DISPUTED", "until its tickets are valid again"
    assert len(shop.published(LatePaymentReceived, order_id)) == 1

    issue_again(shop, order_id, ids)

    assert shop.status(order_id) == "PAID"
    assert {ticket["status"] for ticket in shop.order(order_id)["tickets"]} == {"ACTIVE"}
    hear(shop, order_id, "charge.dispute.created")
    assert shop.status(order_id) == "PAID", "old news"


def test_a_dispute_that_is_won_without_seats_left_is_refunded(shop: Shop) -> None:
    order_id, ids = disputed(shop)
    void(shop, order_id, *ids, reason="DISPUTED")
    decide(shop, order_id, "winning_evidence")
    shop.hear(tickets, LatePaymentRefused.TYPE, {"orderId": order_id, "reason": "SOLD_OUT"})
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


@pytest.mark.parametrize("fails_at_once", [True, False])
def test_seats_that_were_refused_are_not_asked_for_again_though_the_money_could_not_go_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fails_at_once: bool
) -> None:
    def fails(self: Any, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> Any:
        return RefundResult("re_1", intent_id, "failed", amount, key, "expired_or_canceled_card")

    if fails_at_once:
        monkeypatch.setattr(StripeGateway, "refund", fails)
    order_id, ids = bought(shop, "pm_card_refundFail")
    bank_says(order_id, "open", "99.00")
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "won", "99.00")
    shop.hear(tickets, LatePaymentRefused.TYPE, {"orderId": order_id, "reason": "SOLD_OUT"})
    shop.deliver()
    if not fails_at_once:
        hear(shop, order_id, "refund.updated")
    assert shop.history(order_id)[-1] == "REFUND_FAILED"

    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}
    assert len(shop.published(LatePaymentReceived, order_id)) == 1


def test_a_disputed_order_of_a_cancelled_event_is_left_to_the_bank(shop: Shop) -> None:
    order_id, ids = disputed(shop)
    void(shop, order_id, *ids)
    assert (shop.status(order_id), shop.deliver()) == ("DISPUTED", 0)


@pytest.mark.parametrize("seen_open", [True, False])
def test_a_dispute_lost_for_less_than_was_left_stays_disputed_as_its_tickets_stay_void(
    shop: Shop, seen_open: bool
) -> None:
    order_id = shop.order_of(a_user())
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    if seen_open:
        bank_says(order_id, "open", "40.00")
    for _ in range(2):
        bank_says(order_id, "lost", "40.00")
    void(shop, order_id, *ids, reason="DISPUTED")

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("DISPUTED", Decimal("40.00"))
    assert {ticket["status"] for ticket in order["tickets"]} == {"VOID"}
    assert len(shop.published(OrderDisputed, order_id)) == 1
    assert shop.published(LatePaymentReceived, order_id) == []
    assert shop.ask_refund(order_id).code == "ORDER_NOT_REFUNDABLE"


def test_tickets_that_are_issued_after_a_lost_dispute_are_told_to_be_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    bank_says(order_id, "lost", "99.00")
    shop.issue(order_id)
    assert shop.status(order_id) == "REFUNDED"
    assert len(shop.published(OrderDisputed, order_id)) == 2


def test_tickets_that_are_issued_after_the_dispute_are_told_to_be_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_createDispute")
    hear(shop, order_id, "charge.dispute.created")
    shop.issue(order_id)
    assert len(shop.published(OrderDisputed, order_id)) == 2


def test_a_refund_that_a_dispute_overtook_is_recorded_as_failed_with_the_reason(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_createDispute")
    shop.issue(order_id)
    eventually(lambda: shop.endpoint.of(intent_of(shop, order_id), "charge.dispute.created"))
    assert shop.ask_refund(order_id).status == 202
    shop.deliver()
    [refund] = shop.db.all("SELECT status, failure FROM refunds WHERE order_id = %(id)s", id=order_id)
    assert refund == {"status": "FAILED", "failure": "charge_disputed"}
    assert shop.order(order_id)["refunding_amount"] == 0


def test_a_second_dispute_after_one_that_was_won_takes_the_money_and_the_tickets(shop: Shop) -> None:
    order_id, ids = bought(shop)
    bank_says(order_id, "open", "99.00")
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "won", "99.00")
    issue_again(shop, order_id, ids)
    assert shop.status(order_id) == "PAID"

    bank_says(order_id, "open", "99.00", dispute="dp_2")
    assert shop.status(order_id) == "DISPUTED"
    assert len(shop.published(OrderDisputed, order_id)) == 2
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    assert (shop.status(order_id), shop.order(order_id)["dispute"]) == ("DISPUTED", "OPEN"), "old news"

    for _ in range(2):
        bank_says(order_id, "lost", "99.00", dispute="dp_2")
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert shop.history(order_id).count("DISPUTE_LOST") == 1


def test_a_second_dispute_that_is_lost_before_it_was_seen_voids_the_tickets(shop: Shop) -> None:
    order_id, ids = bought(shop)
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    issue_again(shop, order_id, ids)

    bank_says(order_id, "lost", "99.00", dispute="dp_2")

    assert shop.status(order_id) == "REFUNDED"
    assert len(shop.published(OrderDisputed, order_id)) == 2


def test_tickets_stay_void_until_the_last_dispute_is_won(shop: Shop) -> None:
    order_id, ids = bought(shop)
    for dispute in ("dp_1", "dp_2"):
        bank_says(order_id, "open", "40.00", dispute=dispute)
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "won", "40.00")
    assert shop.published(LatePaymentReceived, order_id) == []

    bank_says(order_id, "won", "40.00", dispute="dp_2")

    assert len(shop.published(LatePaymentReceived, order_id)) == 1


@pytest.mark.parametrize("first", ["lost", "won"])
def test_of_two_disputes_each_that_is_lost_has_taken_its_part(shop: Shop, first: DisputeStatus) -> None:
    order_id, ids = bought(shop)
    for dispute in ("dp_1", "dp_2"):
        bank_says(order_id, "open", "40.00", dispute=dispute)
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, first, "40.00")
    bank_says(order_id, "lost", "50.00", dispute="dp_2")

    order = shop.order(order_id)
    taken = Decimal("90.00") if first == "lost" else Decimal("50.00")
    assert (order["payment_status"], order["dispute"], order["refunded_amount"]) == (
        "DISPUTED",
        "LOST",
        taken,
    )
    assert shop.published(LatePaymentReceived, order_id) == []
    assert len(shop.published(OrderDisputed, order_id)) == 1


def test_a_dispute_that_is_won_after_another_was_lost_brings_no_tickets_back(shop: Shop) -> None:
    order_id, ids = bought(shop)
    for dispute in ("dp_1", "dp_2"):
        bank_says(order_id, "open", "40.00", dispute=dispute)
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "lost", "40.00")
    bank_says(order_id, "won", "40.00", dispute="dp_2")

    assert shop.order(order_id)["dispute"] == "LOST"
    assert shop.published(LatePaymentReceived, order_id) == []


def test_a_dispute_about_money_that_went_back_changes_nothing(shop: Shop) -> None:
    order_id, _ = bought(shop)
    assert shop.ask_refund(order_id).status == 202
    shop.deliver()
    bank_says(order_id, "open", "99.00")
    assert (shop.status(order_id), shop.published(OrderDisputed, order_id)) == ("REFUNDED", [])


def test_the_answer_about_seats_for_a_won_dispute_waits_while_another_one_is_open(shop: Shop) -> None:
    order_id, ids = bought(shop)
    bank_says(order_id, "open", "99.00")
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "won", "99.00")
    bank_says(order_id, "open", "99.00", dispute="dp_2")

    shop.hear(tickets, LatePaymentRefused.TYPE, {"orderId": order_id, "reason": "SOLD_OUT"})
    shop.deliver()
    assert shop.status(order_id) == "DISPUTED", "nothing of a disputed payment is refunded"

    bank_says(order_id, "won", "99.00", dispute="dp_2")
    assert len(shop.published(LatePaymentReceived, order_id)) == 2


def bought(shop: Shop, token: str = "pm_card_visa") -> tuple[str, list[str]]:
    """An issued order; its tickets."""
    order_id = shop.order_of(a_user(), token)
    return order_id, [ticket["ticketId"] for ticket in shop.issue(order_id)]


def issue_again(shop: Shop, order_id: str, ids: list[str]) -> None:
    """The tickets service has found seats for it."""
    type_id = shop.order(order_id)["tickets"][0]["ticketTypeId"]
    again = [{"ticketId": id_, "ticketNumber": f"T-{id_[:3]}", "ticketTypeId": type_id} for id_ in ids]
    data = {"orderId": order_id, "orderNumber": "BO-1", "userId": ids[0], "eventId": ids[0], "tickets": again}
    shop.hear(tickets, "tickets.order_issued.v1", data)


def test_a_refund_in_the_dashboard_after_a_part_was_lost_is_taken_over_whole(shop: Shop) -> None:
    order_id, ids = bought(shop)
    bank_says(order_id, "open", "40.00")
    void(shop, order_id, *ids, reason="DISPUTED")
    bank_says(order_id, "lost", "40.00")

    shop.stripe.client().v1.refunds.create({"payment_intent": intent_of(shop, order_id), "amount": 3000})
    hear(shop, order_id, "charge.refunded")

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("DISPUTED", Decimal("70.00"))


def test_no_more_is_taken_over_than_was_left_though_the_provider_counts_what_the_bank_took(
    shop: Shop,
) -> None:
    order_id, _ = bought(shop)
    bank_says(order_id, "lost", "60.00")
    answer = replace(provider.stripe().fetch(intent_of(shop, order_id)), amount_refunded=Decimal("99.00"))
    with database.transaction() as sql:
        webhooks.hear(sql, "stripe", orders.get(sql, UUID(order_id)), answer, now())
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", Decimal("99.00"))


def test_a_dispute_that_is_won_before_anybody_voided_the_tickets_is_told_of_those_it_has(shop: Shop) -> None:
    order_id, ids = bought(shop)
    hear_of(shop, order_id, ids, version=2)
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    # Tickets heard that it was won, and asked for seats, before it heard of the dispute: they are as they were.
    hear_of(shop, order_id, ids, version=2)

    assert shop.status(order_id) == "PAID"
    assert {ticket["status"] for ticket in shop.order(order_id)["tickets"]} == {"ACTIVE"}


@pytest.mark.parametrize("is_void_first", [True, False])
def test_older_news_of_its_tickets_do_not_make_an_order_paid_whose_seats_are_refused(
    shop: Shop, is_void_first: bool
) -> None:
    order_id = shop.order_of(a_user())
    ids = [str(uuid4()), str(uuid4())]
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    if is_void_first:
        void(shop, order_id, *ids, reason="DISPUTED", version=3)
    hear_of(shop, order_id, ids, version=2)
    if is_void_first:
        assert shop.status(order_id) == "DISPUTED", "none of its tickets is valid"
    else:
        void(shop, order_id, *ids, reason="DISPUTED", version=3)
    shop.hear(tickets, LatePaymentRefused.TYPE, {"orderId": order_id, "reason": "SOLD_OUT"}, version=4)
    shop.deliver()

    assert shop.status(order_id) == "REFUNDED"


def test_tickets_that_are_valid_again_stay_so_when_older_news_say_that_they_were_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ids = [str(uuid4()), str(uuid4())]
    bank_says(order_id, "open", "99.00")
    bank_says(order_id, "won", "99.00")
    for version in (2, 4):  # made, and valid again: void in between
        hear_of(shop, order_id, ids, version=version)
    void(shop, order_id, *ids, reason="DISPUTED", version=3)

    assert shop.status(order_id) == "PAID"
    assert {ticket["status"] for ticket in shop.order(order_id)["tickets"]} == {"ACTIVE"}


def hear_of(shop: Shop, order_id: str, ids: list[str], *, version: int) -> None:
    """Tickets tells of these tickets, as they were in that version of the purchase."""
    type_id = uuid5(UUID(order_id), "type")
    issued = [{"ticketId": id_, "ticketNumber": f"T-{id_[:4]}", "ticketTypeId": str(type_id)} for id_ in ids]
    data = {"orderId": order_id, "userId": str(uuid4()), "eventId": str(shop.event_id)}
    shop.hear(tickets, OrderIssued.TYPE, data | {"orderNumber": "BO-1", "tickets": issued}, version)
