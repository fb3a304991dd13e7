"""POST /api/payments/refund: an organizer gives money back."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from functions.payments import provider
from functions.payments.consumers import refunds, tickets
from functions.payments.gateways.gateway import RefundResult
from functions.payments.gateways.stripe_gateway import StripeGateway
from functions.payments.jobs import resume_payments
from functions.payments.saga import refund_payment
from shared.contracts import LatePaymentReceived, OrderRefunded, OrderReleased
from shared.identity import Role
from tests.integration.payments.money import give_back_in_dashboard, left, sweep
from tests.integration.payments.test_calling_off import void
from tests.integration.payments.test_late_money import ids
from tests.payments_shop import Shop
from tests.support import a_user, context


@pytest.fixture
def order_id(shop: Shop) -> str:
    """A paid order of two tickets at 49.50."""
    return shop.order_of(a_user())


def test_all_that_is_left_is_given_back(shop: Shop, order_id: str) -> None:
    tickets = shop.issue(order_id)
    reply = shop.ask_refund(order_id)
    assert (reply.status, reply.body["status"], reply.body["amount"]) == (202, "REQUESTED", "99.00")
    shop.deliver()
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunding_amount"]) == ("REFUNDED", 0)
    [told] = shop.published(OrderRefunded, order_id)
    assert told["fully"] is True
    assert told["ticketIds"] == [ticket["ticketId"] for ticket in tickets]
    assert [ticket["status"] for ticket in order["tickets"]] == ["VOID", "VOID"]
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_a_ticket_is_given_back_at_its_price_and_once(shop: Shop, order_id: str) -> None:
    first, second = (ticket["ticketId"] for ticket in shop.issue(order_id))
    assert shop.ask_refund(order_id, ticketIds=[first, first]).body["amount"] == "49.50"
    assert shop.ask_refund(order_id, ticketIds=[first]).code == "REFUND_EXCEEDS_PAYMENT"
    shop.deliver()
    order = shop.order(order_id)
    assert order["payment_status"] == "PARTIALLY_REFUNDED"
    assert [ticket["status"] for ticket in order["tickets"]] == ["VOID", "ACTIVE"]
    assert shop.ask_refund(order_id, ticketIds=[second]).status == 202
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"
    assert shop.ask_refund(order_id).code == "REFUND_EXCEEDS_PAYMENT"


def test_after_two_hundred_parts_only_all_that_is_left(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    _given_back_in_parts(shop, order_id, parts=199, status="SUCCEEDED")
    _given_back_in_parts(shop, order_id, parts=5, status="FAILED")
    assert shop.ask_refund(order_id, amount="0.01").status == 202

    refused = shop.ask_refund(order_id, amount="0.01")
    assert (refused.status, refused.code, refused.fields) == (409, "TOO_MANY_REFUNDS", {"amount"})
    assert shop.ask_refund(order_id).status == 202


def test_never_more_than_was_paid(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    assert shop.ask_refund(order_id, amount="99.01").code == "REFUND_EXCEEDS_PAYMENT"
    assert shop.ask_refund(order_id, amount="60.00").status == 202
    assert shop.ask_refund(order_id, amount="60.00").code == "REFUND_EXCEEDS_PAYMENT"
    shop.deliver()
    assert shop.ask_refund(order_id, amount="39.01").code == "REFUND_EXCEEDS_PAYMENT"
    assert shop.ask_refund(order_id, amount="39.00").status == 202
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"


def test_bad_input_is_named(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    assert shop.ask_refund(order_id, amount="0").fields == {"amount"}
    assert shop.ask_refund(order_id, amount="1.001").fields == {"amount"}
    assert shop.ask_refund(order_id, ticketIds=[]).fields == {"ticketIds"}
    assert shop.ask_refund(order_id, ticketIds=[str(uuid4())]).fields == {"ticketIds"}
    assert shop.ask_refund(order_id, ticketIds=[str(uuid4())], amount="1.00").fields == {"amount"}
    assert shop.ask_refund(order_id, reason=" ").fields == {"reason"}


def test_refunds_are_the_organizers(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    assert shop.ask_refund(order_id, by=a_user()).status == 403
    assert shop.ask_refund(order_id, by=a_user(Role.ORGANIZER)).status == 404
    assert shop.ask_refund(str(uuid4())).status == 404
    assert shop.ask_refund(order_id, by=a_user(Role.ADMIN), amount="1.00").status == 202


def test_the_same_key_is_one_refund(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    replies = [shop.ask_refund(order_id, key="k", amount="10.00") for _ in range(2)]
    assert replies[0].body == replies[1].body
    shop.deliver()
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [1000]


def test_an_order_is_not_refunded_while_its_tickets_are_being_issued(shop: Shop, order_id: str) -> None:
    assert shop.ask_refund(order_id).code == "ORDER_NOT_REFUNDABLE"


def test_what_was_not_paid_cannot_be_refunded(shop: Shop) -> None:
    unpaid = shop.order_of(a_user(), "pm_card_chargeDeclined")
    assert shop.ask_refund(unpaid).code == "REFUND_EXCEEDS_PAYMENT"


def test_a_refund_command_that_comes_twice_is_one_refund(shop: Shop, order_id: str) -> None:
    shop.issue(order_id)
    shop.ask_refund(order_id, amount="10.00")
    shop.deliver()
    shop._delivered.clear()
    shop.deliver()
    assert len(shop.published(OrderRefunded, order_id)) == 1
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [1000]


def test_a_refund_whose_command_was_set_aside_in_a_long_outage_is_paid_out_afterwards(
    shop: Shop, order_id: str
) -> None:
    shop.issue(order_id)
    shop.ask_refund(order_id)
    shop.stripe.fault("error", times=100)
    [command] = shop.aws.messages("payments-refunds")
    for _ in range(5):  # after which the queue sets it aside
        record = shop.aws.record("payments-refunds", command)
        assert len(refunds.handler({"Records": [record]}, context())["batchItemFailures"]) == 1
    shop.stripe.control("DELETE", "faults")
    provider.forget()  # the circuit's time is over

    assert resume_payments.handler({}, context()) == {"handled": 0}, "not before its time"
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    _, again = shop.aws.messages("payments-refunds")
    shop.hand_over(refunds.handler, "payments-refunds", again)

    assert shop.status(order_id) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]
    shop.hand_over(refunds.handler, "payments-refunds", command)  # and should somebody put it back, too
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_a_refund_that_is_pending_is_finished_by_its_webhook(shop: Shop) -> None:
    pending = shop.order_of(a_user(), "pm_card_pendingRefund")
    shop.issue(pending)
    shop.ask_refund(pending)
    shop.deliver()
    intent_id = str(shop.order(pending)["payment_gateway_transaction_id"])
    shop.webhook(intent_id, "refund.updated")
    shop.deliver()
    assert shop.status(pending) == "REFUNDED"


def test_a_refund_that_fails_afterwards_is_owed_again(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    failing = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(failing)
    shop.ask_refund(failing)
    shop.deliver()
    intent_id = str(shop.order(failing)["payment_gateway_transaction_id"])
    shop.webhook(intent_id, "refund.updated")
    shop.deliver()
    order = shop.order(failing)
    # Its tickets are void, so it is not PAID; the money is still here, and can be refunded once more.
    assert (order["payment_status"], order["refunded_amount"], order["refunding_amount"]) == (
        "CANCELLED",
        0,
        0,
    )
    [row] = shop.db.all("SELECT status, failure FROM refunds WHERE order_id = %(id)s", id=failing)
    assert row == {"status": "FAILED", "failure": "expired_or_canceled_card"}
    assert shop.history(failing)[-1] == "REFUND_FAILED"
    assert capsys.readouterr().out.count('"RefundsFailed": [1]') == 1, "an alarm rings"


def test_a_refund_of_more_than_the_dashboard_left_ends_and_what_was_given_back_there_is_taken_over(
    shop: Shop, order_id: str
) -> None:
    shop.issue(order_id)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    assert shop.ask_refund(order_id).status == 202
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id, "amount": 100})
    shop.deliver()
    order = shop.order(order_id)
    assert (str(order["refunded_amount"]), order["refunding_amount"]) == ("1.00", 0)
    assert shop.ask_refund(order_id).status == 202, "the rest"
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"


@pytest.mark.parametrize("news", ["released", "issued and void since"])
def test_money_that_could_not_go_back_before_its_seats_did_belongs_to_no_paid_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, news: str
) -> None:
    def fails(self: Any, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> Any:
        return RefundResult("re_1", intent_id, "failed", amount, key, "expired_or_canceled_card")

    monkeypatch.setattr(StripeGateway, "refund", fails)
    order_id = shop.order_of(a_user())
    refund_payment.handler({"orderId": order_id, "reason": "ISSUE_FAILED"}, context())
    if news == "released":
        shop.hear(tickets, OrderReleased.TYPE, ids(shop, order_id))
    else:
        issued = [ticket["ticketId"] for ticket in shop.issue(order_id)]
        void(shop, order_id, *issued, reason="REFUNDED")

    assert shop.status(order_id) == "CANCELLED", "its buyer was told that the purchase came to nothing"
    sweep(shop)
    assert left(shop, order_id) == "99.00", "and nobody asks for seats, or tries for ever"
    assert shop.published(LatePaymentReceived, order_id) == []


def test_what_an_organizer_could_not_give_back_is_told(
    shop: Shop, order_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.issue(order_id)
    assert shop.ask_refund(order_id).status == 202
    give_back_in_dashboard(shop, order_id, 100)
    shop.deliver()

    assert left(shop, order_id) == "98.00"
    assert capsys.readouterr().out.count('"RefundsFailed": [1]') == 1


def _given_back_in_parts(shop: Shop, order_id: str, *, parts: int, status: str) -> None:
    """As if the organizer had given back one cent so many times."""
    shop.db.run(
        """
        INSERT INTO refunds (id, order_id, cause, amount, reason, ticket_ids, status, created_at, updated_at)
        SELECT gen_random_uuid(), %(id)s, 'REQUESTED', 0.01, 'Sorry', '{}', %(status)s, now(), now()
          FROM generate_series(1, %(parts)s)
        """,
        id=order_id,
        parts=parts,
        status=status,
    )
