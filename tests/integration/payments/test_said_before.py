"""What was said of an attempt or a refund stands: the same answer, or an older one, changes nothing later."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.payments import cancelling, charging, provider, refund_outcomes, refunding, switching, unheard
from functions.payments.consumers import webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import Failure, PaymentResult, RefundResult, RefundStatus
from functions.payments.repository import attempts, orders, refunds
from functions.payments.saga_models import Reservation
from shared.clock import now
from shared.contracts import OrderRefunded, PaymentFailed
from tests.integration.payments.test_calling_off import hear_issued, void
from tests.payments_shop import Shop
from tests.support import a_user

THIRTY = Decimal("30.00")


@pytest.fixture
def order_id(shop: Shop) -> str:
    """A paid order of 99.00 with its tickets."""
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    return order_id


def ask(order_id: str) -> UUID:
    with database.transaction() as sql:
        order = orders.lock(sql, UUID(order_id))
        assert order is not None
        return refunding.ask(sql, order, THIRTY, now(), cause="REQUESTED", reason="Sorry")


def asked(reservation: dict[str, Any]) -> tuple[charging.Due, PaymentResult | Failure]:
    """An attempt whose answer is here and has not been recorded."""
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    return due, charging.carry_out(provider.stripe(), due)


def hear(refund_id: UUID, status: RefundStatus) -> None:
    answer = RefundResult(f"re_{refund_id.hex}", None, status, THIRTY, str(refund_id))
    with database.transaction() as sql:
        refund_outcomes.record(sql, refund_id, answer, now())


def amounts(shop: Shop, order_id: str) -> tuple[int, int]:
    """What was given back, and what is about to be."""
    order = shop.order(order_id)
    return int(order["refunded_amount"]), int(order["refunding_amount"])


def test_a_refund_that_is_told_twice_counts_once(shop: Shop, order_id: str) -> None:
    first, _second = ask(order_id), ask(order_id)
    for _ in range(2):
        hear(first, "succeeded")
    assert amounts(shop, order_id) == (30, 30)
    assert len(shop.published(OrderRefunded, order_id)) == 1


def test_a_refund_that_failed_is_not_a_success_when_older_news_come(shop: Shop, order_id: str) -> None:
    first, _second = ask(order_id), ask(order_id)
    for status in ("succeeded", "failed", "succeeded", "failed"):
        hear(first, status)
    assert amounts(shop, order_id) == (0, 30)
    assert shop.db.one("SELECT status FROM refunds WHERE id = %(id)s", id=first) == {"status": "FAILED"}


def test_the_late_answer_to_an_attempt_that_was_given_up_does_not_end_the_next(shop: Shop) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer, token="pm_card_chargeDeclined")
    order_id = str(reservation["orderId"])
    due, declined = asked(reservation)
    with database.transaction() as sql:
        charging.record(sql, due.attempt, charging.UNAVAILABLE, now())
    assert shop.pay_again(buyer, order_id).status == 202

    with database.transaction() as sql:
        charging.record(sql, due.attempt, declined, now())

    assert (shop.status(order_id), shop.attempts(order_id)) == ("PENDING", ["FAILED", "OPEN"])
    shop.deliver()
    assert (shop.status(order_id), shop.attempts(order_id)) == ("PAID", ["FAILED", "SUCCEEDED"])


def test_an_attempt_that_was_given_up_on_its_way_to_another_provider_is_not_carried_out_there(
    shop: Shop,
) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_with_paypal(buyer, order_id)
    with database.transaction() as sql:
        open_now = attempts.open_of(sql, UUID(order_id))
        assert open_now is not None
        due = charging.resume(sql, open_now.id, now())
        assert due is not None
        leaving = switching.begin(sql, due)
    left = switching.leave(provider.stripe(), leaving)
    with database.transaction() as sql:
        charging.record(sql, due.attempt, charging.UNAVAILABLE, now())
    assert shop.pay_with_paypal(buyer, order_id).status == 202

    with database.transaction() as sql:
        assert switching.arrive(sql, due, left, now()) is None

    assert shop.order(order_id)["payment_method"] == "stripe"
    shop.deliver()
    assert shop.status(order_id) == "REQUIRES_ACTION"
    assert shop.attempts(order_id) == ["DECLINED", "FAILED", "ACTION_REQUIRED"]


def test_money_under_review_at_the_first_provider_is_not_asked_for_at_the_second(shop: Shop) -> None:
    """The approval was captured and is looked at by PayPal, but nobody heard of it."""
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    intent_id = shop.approve(order_id, "review")
    provider.paypal().pay(
        order_id=order_id,
        intent_id=intent_id,
        amount=Decimal("99.00"),
        currency="USD",
        payment_token=None,
        attempt_key=str(uuid4()),
    )
    shop.pay_again(buyer, order_id)
    shop.deliver()
    assert (shop.status(order_id), shop.attempts(order_id)[-1]) == ("PENDING", "PROCESSING")
    assert shop.order(order_id)["payment_method"] == "paypal"
    assert shop.pay_again(buyer, order_id).code == "PAYMENT_IN_PROGRESS"
    assert shop.intents(order_id) == []


def test_an_answer_that_comes_once_cancelling_has_begun_tells_the_buyer_nothing(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_chargeDeclined")
    order_id = str(reservation["orderId"])
    due, declined = asked(reservation)
    with database.transaction() as sql:
        cancelling.begin(sql, UUID(order_id), now())

    with database.transaction() as sql:
        charging.record(sql, due.attempt, declined, now())

    assert (shop.status(order_id), shop.published(PaymentFailed, order_id)) == ("PENDING", [])
    assert shop.cancel(order_id) == "cancelled"


def test_a_webhook_about_the_last_attempt_does_not_end_the_one_that_is_under_way(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    assert shop.pay_again(buyer, order_id).status == 202

    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    assert shop.webhook(intent_id, "payment_intent.payment_failed").status == 200
    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])

    assert (shop.status(order_id), shop.attempts(order_id)) == ("PENDING", ["DECLINED", "OPEN"])
    shop.deliver()
    assert shop.status(order_id) == "PAID"


def test_the_command_of_a_webhook_that_was_handled_asks_the_provider_nothing(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    shop.webhook(str(shop.order(order_id)["payment_gateway_transaction_id"]), "payment_intent.payment_failed")
    shop.deliver()
    shop.stripe.fault("error", times=20)
    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])


def test_money_that_we_are_giving_back_is_not_taken_for_somebody_else_s_refund(
    shop: Shop, order_id: str
) -> None:
    refund_id = ask(order_id)
    with database.transaction() as sql:
        due = refunding.due(sql, refund_id)
    assert due is not None
    answer = refunding.carry_out(provider.stripe(), *due)
    shop.webhook(str(shop.order(order_id)["payment_gateway_transaction_id"]), "charge.refunded")
    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])
    assert amounts(shop, order_id) == (0, 30)

    with database.transaction() as sql:
        refund_outcomes.record(sql, refund_id, answer, now())
    assert amounts(shop, order_id) == (30, 0)


def test_a_refund_that_was_decided_is_not_asked_for_again(order_id: str) -> None:
    refund_id = ask(order_id)
    hear(refund_id, "succeeded")
    with database.transaction() as sql:
        assert refunding.due(sql, refund_id) is None


def shown(shop: Shop, order_id: str) -> list[tuple[str, str]]:
    return [(ticket["id"], ticket["status"]) for ticket in shop.order(order_id)["tickets"]]


def test_news_of_tickets_that_were_issued_before_do_not_replace_those_of_now(shop: Shop) -> None:
    order_id, old, new = shop.order_of(a_user()), str(uuid4()), str(uuid4())
    hear_issued(shop, order_id, new, version=5)
    hear_issued(shop, order_id, old, version=2)
    assert shown(shop, order_id) == [(new, "ACTIVE")]


def test_tickets_that_are_valid_again_are_not_void_when_older_news_come(shop: Shop) -> None:
    order_id, ticket_id = shop.order_of(a_user()), str(uuid4())
    hear_issued(shop, order_id, ticket_id, version=5)
    void(shop, order_id, ticket_id, reason="DISPUTED", version=4)
    assert shown(shop, order_id) == [(ticket_id, "ACTIVE")]
    void(shop, order_id, ticket_id, reason="DISPUTED", version=6)
    assert shown(shop, order_id) == [(ticket_id, "VOID")]


def test_an_order_that_is_paid_or_being_paid_is_not_asked_about(shop: Shop) -> None:
    buyer = a_user()
    paid, declined = shop.order_of(buyer), shop.order_of(buyer, "pm_card_chargeDeclined")

    def is_asked_about(order_id: str) -> bool:
        with database.transaction() as sql:
            return unheard.due(sql, UUID(order_id)) is not None

    assert (is_asked_about(paid), is_asked_about(declined)) == (False, True)
    shop.pay_again(buyer, declined)
    assert not is_asked_about(declined)


def test_a_refund_keeps_the_first_name_that_the_provider_gave_it(shop: Shop, order_id: str) -> None:
    refund_id = ask(order_id)
    for name in ("re_1", "re_2"):
        with database.transaction() as sql:
            refunds.note_gateway_id(sql, refund_id, name, now())
    assert shop.db.one("SELECT gateway_refund_id FROM refunds") == {"gateway_refund_id": "re_1"}
