"""Two things happen to an order's money at once: each race through real handlers, and without its guard."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg2
import pytest

from functions.payments.consumers import attempts, refunds
from shared.contracts import OrderPaid
from tests.concurrency.payments.racing import at_once
from tests.databases import TestDatabase
from tests.payments_shop import Shop
from tests.support import a_user

ROUNDS = 4
DELAYS = (
    0.0,
    0.0,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    1.0,
)  # how much later one side starts, so that both get to win


def paid_at_stripe(shop: Shop, order_id: str) -> list[str]:
    return [intent["status"] for intent in shop.intents(order_id)]


def later(seconds: float, run: Callable[[], Any]) -> Callable[[], Any]:
    def wait_and_run() -> Any:
        time.sleep(seconds)
        return run()

    return wait_and_run


def carry_out_attempt(shop: Shop) -> Callable[[], Any]:
    """What the consumer does with the latest command of /process."""
    command = shop.aws.messages("payments-attempts")[-1]
    record = shop.aws.record("payments-attempts", command)
    return lambda: attempts.handler({"Records": [record]}, None)


def ask_refund(shop: Shop, order_id: str, **body: Any) -> Callable[[], Any]:
    def ask() -> int:
        return shop.ask_refund(order_id, **body).status

    return ask


def test_of_two_attempts_at_once_one_is_made(shop: Shop) -> None:
    buyer = a_user()
    for _ in range(ROUNDS):
        order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
        replies = at_once(*[partial(shop.pay_again, buyer, order_id)] * 4)
        assert sorted(reply.status for reply in replies) == [202, 409, 409, 409]
        assert {reply.code for reply in replies if reply.status == 409} == {"PAYMENT_IN_PROGRESS"}
        shop.deliver()
        assert shop.attempts(order_id) == ["DECLINED", "SUCCEEDED"]
        assert paid_at_stripe(shop, order_id) == ["succeeded"]


def open_an_attempt_after_looking(db: TestDatabase, order_id: str, meet: threading.Barrier) -> str:
    """Check, then insert, without a lock: what the route would be without its guards."""
    connection = psycopg2.connect(db.dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM payment_transactions WHERE order_id = %s AND status = 'OPEN'", (order_id,)
            )
            free = cursor.fetchone() is None
            meet.wait(10)
            if free:
                cursor.execute(
                    """
                    INSERT INTO payment_transactions (order_id, kind, payment_method, amount, currency, status)
                    VALUES (%s, 'ATTEMPT', 'stripe', 99, 'USD', 'OPEN')
                    """,
                    (order_id,),
                )
        return "opened"
    except psycopg2.errors.UniqueViolation:
        return "refused"
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("guarded", "outcomes"), [(True, ["opened", "refused"]), (False, ["opened", "opened"])]
)
def test_the_unique_index_is_what_allows_one_open_attempt(
    shop: Shop, guarded: bool, outcomes: list[str]
) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    if not guarded:
        shop.db.run("DROP INDEX payment_transactions_one_open_attempt")
    assert race(lambda meet: open_an_attempt_after_looking(shop.db, order_id, meet)) == outcomes


def race(one: Callable[[threading.Barrier], str]) -> list[str]:
    """Run it twice at once, in threads that share nothing; the outcomes, sorted."""
    meet, outcomes = threading.Barrier(2), list[str]()
    threads = [threading.Thread(target=lambda: outcomes.append(one(meet))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_another_card_and_a_late_3d_secure_webhook_take_the_money_once(shop: Shop) -> None:
    buyer = a_user()
    for _ in range(ROUNDS):
        order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
        intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
        assert shop.pay_again(buyer, order_id, "pm_card_mastercard").status == 202
        another_card = carry_out_attempt(shop)

        step = f"payment_intents/{intent_id}/authenticate"
        at_once(another_card, partial(shop.stripe.control, "POST", step, {"outcome": "succeed"}))
        at_once(another_card, partial(shop.webhook, intent_id, "payment_intent.succeeded"))
        shop.deliver()
        order = shop.order(order_id)
        assert (order["payment_status"], order["captured_amount"]) == ("PAID", order["total_amount"])
        assert paid_at_stripe(shop, order_id) == ["succeeded"]
        assert len(shop.published(OrderPaid, order_id)) == 1
        assert shop.history(order_id).count("PAID") == 1


def test_of_two_full_refunds_at_once_one_is_made(shop: Shop) -> None:
    for _ in range(ROUNDS):
        order_id = shop.order_of(a_user())
        shop.issue(order_id)
        assert sorted(at_once(*[ask_refund(shop, order_id)] * 3)) == [202, 409, 409]
        shop.deliver()
        assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_partial_refunds_at_once_never_exceed_the_payment(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    replies = at_once(*[ask_refund(shop, order_id, amount="30.00")] * 5)
    assert sorted(replies) == [202, 202, 202, 409, 409]
    shop.deliver()
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9000]


def test_the_same_refund_command_at_once_gives_the_money_once(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    ask_refund(shop, order_id, amount="30.00")()
    record = shop.aws.record("payments-refunds", shop.aws.messages("payments-refunds")[-1])
    at_once(*[lambda: refunds.handler({"Records": [record]}, None)] * 3)
    shop.deliver()
    assert str(shop.order(order_id)["refunded_amount"]) == "30.00"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [3000]


def set_aside_after_looking(db: TestDatabase, order_id: str, meet: threading.Barrier) -> str:
    """Read what is left, then set it aside, without a lock: what refunding would be without its guards."""
    connection = psycopg2.connect(db.dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT captured_amount - refunding_amount FROM orders WHERE id = %s", (order_id,))
            row = cursor.fetchone()
            assert row is not None
            meet.wait(10)
            cursor.execute(
                "UPDATE orders SET refunding_amount = refunding_amount + %s WHERE id = %s", (row[0], order_id)
            )
        return "refunded"
    except psycopg2.errors.CheckViolation:
        return "refused"
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("guarded", "outcomes"), [(True, ["refunded", "refused"]), (False, ["refunded", "refunded"])]
)
def test_the_check_is_what_keeps_refunds_within_the_payment(
    shop: Shop, guarded: bool, outcomes: list[str]
) -> None:
    order_id = shop.order_of(a_user())
    if not guarded:
        shop.db.run("ALTER TABLE orders DROP CONSTRAINT orders_refunds_within_payment")
    assert race(lambda meet: set_aside_after_looking(shop.db, order_id, meet)) == outcomes


def test_cancelling_and_paying_at_once_agree_with_the_provider(shop: Shop) -> None:
    buyer, ends = a_user(), set[str]()
    for delay in DELAYS:
        order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
        assert shop.pay_again(buyer, order_id).status == 202
        cancel = later(delay, partial(shop.cancel, order_id))
        outcome = at_once(carry_out_attempt(shop), cancel)[1]
        if not isinstance(outcome, str):  # the provider was still at work: Step Functions tries again
            outcome = shop.cancel(order_id)
        shop.deliver()
        status = shop.status(order_id)
        assert (outcome, status, paid_at_stripe(shop, order_id)) in (
            ("paid", "PAID", ["succeeded"]),
            ("cancelled", "CANCELLED", ["canceled"]),
        ), f"{delay} s apart"
        ends.add(status)
    assert ends == {"PAID", "CANCELLED"}, "each side has won a round"


def test_cancelling_without_asking_the_provider_would_take_money_for_nothing(shop: Shop) -> None:
    """The negative control: only our own row says that the order is over."""
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    shop.authenticate(order_id)
    shop.db.run(
        "UPDATE orders SET payment_status = 'CANCELLED', client_secret = NULL WHERE id = %(id)s", id=order_id
    )
    assert paid_at_stripe(shop, order_id) == ["succeeded"]


def test_charge_run_twice_at_once_takes_the_money_once(shop: Shop) -> None:
    for _ in range(ROUNDS):
        reservation = shop.reservation()
        outcomes = at_once(*[partial(shop.charge, reservation)] * 2)
        if not all(isinstance(outcome, str) for outcome in outcomes):  # a key in use: tried again
            outcomes = [shop.charge(reservation)]
        assert set(outcomes) == {"paid"}
        assert paid_at_stripe(shop, reservation["orderId"]) == ["succeeded"]
        assert shop.attempts(reservation["orderId"]) == ["SUCCEEDED"]


def test_cancelling_an_order_while_charge_begins_it_leaves_no_charge_behind(shop: Shop) -> None:
    for delay in DELAYS:
        reservation = shop.reservation()
        order_id = reservation["orderId"]
        outcome = at_once(partial(shop.charge, reservation), later(delay, partial(shop.cancel, order_id)))[1]
        if not isinstance(outcome, str):
            outcome = shop.cancel(order_id)
        assert paid_at_stripe(shop, order_id) in (
            [["succeeded"]] if outcome == "paid" else [[], ["canceled"]]
        )
