"""Money that no webhook told of is found by asking the provider: the buyer's turn, a lost answer, a cancelled order."""

from datetime import timedelta

import pytest

from functions.payments import unheard
from functions.payments.consumers import webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import GatewayUnavailable
from functions.payments.jobs import resume_payments
from functions.payments.repository import unheard as repository
from functions.payments.saga import await_payment
from shared.clock import now
from shared.contracts import LatePaymentReceived, OrderPaid
from shared.database import Database, Sql
from shared.identity import User
from tests import sweeping
from tests.payments_shop import Shop
from tests.support import a_user, context

DAYS, MANY = 4, 100


def sweep(shop: Shop) -> None:
    """The job of an operator who does not want to wait, and all that it sends."""
    resume_payments.handler({"olderThanSeconds": 0}, context())
    shop.deliver()


def waiting(shop: Shop, minutes_ago: float = 3) -> str:
    """An order whose buyer was sent to authenticate so long ago."""
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    then = now() - timedelta(minutes=minutes_ago)
    shop.db.run(
        "UPDATE orders SET created_at = %(t)s, updated_at = %(t)s WHERE id = %(id)s", t=then, id=order_id
    )
    return order_id


def unanswered(shop: Shop, buyer: User) -> str:
    """An order whose money was taken, while nobody heard of it: the buyer is told to try again."""
    reservation = shop.reservation(buyer=buyer)
    shop.stripe.fault("kill_after", operation="payment_intents.confirm", times=2)
    with pytest.raises(GatewayUnavailable):
        shop.charge(reservation)
    waits = {"orderId": reservation["orderId"], "taskToken": "a-token", "outcome": "unavailable"}
    await_payment.handler(waits, context())
    return str(reservation["orderId"])


def ask(at_minutes: float = 0, limit: int = MANY) -> int:
    """The sweep, at a time from now."""
    with database.transaction() as sql:
        return unheard.ask_again(sql, now() + timedelta(minutes=at_minutes), 120, DAYS, limit)


@pytest.mark.parametrize("is_over", [False, True])
def test_a_buyer_who_authenticated_has_paid_though_no_webhook_came(shop: Shop, is_over: bool) -> None:
    order_id = waiting(shop)
    shop.authenticate(order_id)
    if is_over:
        shop.db.run("UPDATE orders SET pay_by = now() - interval '1 minute'")
    assert shop.status(order_id) == "REQUIRES_ACTION"

    for _ in range(2):
        sweep(shop)

    assert shop.status(order_id) == "PAID"
    assert len(shop.published(OrderPaid, order_id)) == 1
    assert [intent["status"] for intent in shop.intents(order_id)] == ["succeeded"]


def test_a_buyer_who_approved_at_paypal_pays_though_no_webhook_came(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), None, method="paypal")
    shop.approve(order_id)
    assert shop.status(order_id) == "REQUIRES_ACTION"
    sweep(shop)
    assert (shop.status(order_id), shop.attempts(order_id)[-1]) == ("PAID", "SUCCEEDED")


def test_money_whose_answer_was_lost_is_found(shop: Shop) -> None:
    order_id = unanswered(shop, a_user())
    order = shop.order(order_id)
    assert (order["payment_status"], order["payment_gateway_transaction_id"]) == ("PAYMENT_FAILED", None)

    sweep(shop)

    assert shop.status(order_id) == "PAID"
    assert shop.db.all("SELECT 1 FROM task_tokens") == [], "its saga is woken"
    assert [intent["status"] for intent in shop.intents(order_id)] == ["succeeded"]


def test_money_for_an_order_that_we_cancelled_is_found_and_wants_its_seats(shop: Shop) -> None:
    order_id = waiting(shop)
    shop.authenticate(order_id)
    shop.end(order_id)
    for _ in range(2):
        sweep(shop)
    order = shop.order(order_id)
    assert (order["payment_status"], order["captured_amount"]) == ("CANCELLED", order["total_amount"])
    assert shop.published(LatePaymentReceived, order_id)


def test_money_that_paypal_still_looked_at_when_its_order_was_cancelled_is_found(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, None, method="paypal")
    intent_id = shop.approve(order_id, "review")
    shop.pay_with_paypal(buyer, order_id)
    shop.deliver()
    assert shop.cancel(order_id) == "cancelled"
    sweep(shop)
    assert shop.order(order_id)["captured_amount"] == 0

    shop.paypal.review(intent_id, "succeed")
    sweep(shop)

    order = shop.order(order_id)
    assert (order["payment_status"], order["captured_amount"]) == ("CANCELLED", order["total_amount"])
    assert shop.published(LatePaymentReceived, order_id)


def test_an_order_that_the_provider_has_cancelled_is_asked_about_once(shop: Shop) -> None:
    order_id = waiting(shop)
    assert shop.cancel(order_id) == "cancelled"
    sweep(shop)
    assert shop.status(order_id) == "CANCELLED"
    assert ask(at_minutes=60) == 0


def test_it_is_asked_after_a_while_and_again_at_twice_the_age(shop: Shop) -> None:
    order_id = waiting(shop, minutes_ago=1)
    assert ask() == 0, "news may be on their way"
    shop.db.run(
        "UPDATE orders SET created_at = now() - interval '3 minutes', updated_at = now() - interval '3 minutes'"
    )
    assert [ask(), ask(), ask(2.9), ask(3.1), ask(8), ask(9.5)] == [1, 0, 0, 1, 0, 1]
    shop.db.run("UPDATE orders SET created_at = now() - interval '5 days', asked_at = NULL")
    assert ask() == 0, "given up"
    assert shop.status(order_id) == "REQUIRES_ACTION"


def test_nothing_is_asked_about_orders_that_are_decided_free_declined_or_being_paid(shop: Shop) -> None:
    buyer = a_user()
    shop.order_of(buyer)
    shop.order_of(buyer, None, method="free", price="0.00")
    declined = shop.order_of(buyer, "pm_card_chargeDeclined")
    for unpaid in (shop.order_of(buyer, "pm_card_chargeDeclined"), unanswered(shop, buyer)):
        assert shop.pay_again(buyer, unpaid).status == 202
    assert ask(60) == 0
    assert shop.status(declined) == "PAYMENT_FAILED"


def test_one_run_asks_about_a_limited_number_and_two_at_once_about_different_ones(shop: Shop) -> None:
    orders = [waiting(shop) for _ in range(3)]
    other = Database("payments")
    with database.transaction() as sql:
        assert unheard.ask_again(sql, now(), 120, DAYS, 2) == 2
        with other.transaction() as beside:
            assert unheard.ask_again(beside, now(), 120, DAYS, MANY) == 1
    other.reset()
    sent = shop.db.all("SELECT subject FROM outbox WHERE type = 'payments.payment_unheard.v1'")
    assert sorted(str(row["subject"]) for row in sent) == sorted(orders)


def test_a_provider_that_does_not_answer_fails_nothing_and_is_asked_again(shop: Shop) -> None:
    order_id = waiting(shop)
    shop.authenticate(order_id)
    shop.stripe.fault("error", times=4)
    sweep(shop)
    assert shop.status(order_id) == "REQUIRES_ACTION"
    shop.stripe.control("DELETE", "faults")
    sweep(shop)
    assert shop.status(order_id) == "PAID"


def test_a_webhook_that_was_stored_and_never_handled_is_sent_on_again(shop: Shop) -> None:
    order_id = waiting(shop, minutes_ago=0)
    assert shop.webhook(shop.authenticate(order_id), "payment_intent.succeeded").status == 200
    other, at = Database("payments"), now() + timedelta(minutes=6)
    with database.transaction() as sql:  # the command, though sent, was lost
        assert unheard.webhook_again(sql, now(), 300, DAYS, MANY) == 0
        assert unheard.webhook_again(sql, at, 300, DAYS, 0) == 0
        assert unheard.webhook_again(sql, at, 300, DAYS, MANY) == 1
        with other.transaction() as beside:
            assert unheard.webhook_again(beside, at, 300, DAYS, MANY) == 0
    other.reset()

    shop.hand_over(webhooks.handler, "payments-webhooks", shop.aws.messages("payments-webhooks")[-1])

    assert shop.status(order_id) == "PAID"
    with database.transaction() as sql:
        assert unheard.webhook_again(sql, at + timedelta(hours=1), 300, DAYS, MANY) == 0


def test_a_webhook_is_sent_on_again_however_many_older_ones_cannot_be_handled(shop: Shop) -> None:
    for hours, number in ((2, 5), (1, 1)):
        shop.db.run(
            """
            INSERT INTO webhook_events (provider, event_id, type, object_id, intent_id, received_at)
            SELECT 'paypal', %(hours)s || '-' || n, 'CHECKOUT.ORDER.APPROVED', 'o', 'o',
                   now() - make_interval(hours => %(hours)s)
              FROM generate_series(1, %(number)s) n
            """,
            hours=hours,
            number=number,
        )
    for minutes in (0, 10, 20, 30):  # each time all of them have waited long enough
        with database.transaction() as sql:
            assert unheard.webhook_again(sql, now() + timedelta(minutes=minutes), 300, DAYS, 2) == 2
    sent = shop.db.all("SELECT payload FROM outbox WHERE type = 'payments.webhook_received.v1'")
    assert "1-1" in {row["payload"]["eventId"] for row in sent}


def test_one_run_asks_about_a_limited_number_of_unclear_refunds_and_two_at_once_about_different_ones(
    shop: Shop,
) -> None:
    for _ in range(3):
        shop.order_of(a_user())
    shop.db.run("UPDATE orders SET refunds_unclear = TRUE")
    at = now() + timedelta(minutes=5)

    def take(sql: Sql, limit: int) -> int:
        return len(repository.take_unclear(sql, at, 120, limit))

    assert sweeping.runs(database, take, limit=2) == (2, 1, 0)
