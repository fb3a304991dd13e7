"""Commands that were lost: each sweep finds its rows, a limited number in one run, and others than a run beside it."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from functions.payments import late_money, resuming, second_payments
from functions.payments.database import database
from functions.payments.jobs import resume_payments
from shared.clock import now
from shared.database import Sql
from tests import sweeping
from tests.payments_shop import Shop
from tests.support import a_user, context

Sweep = Callable[[Sql, int], int]


def a_refund(shop: Shop) -> str:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    assert shop.ask_refund(order_id, amount="30.00").status == 202
    return order_id


def an_attempt(shop: Shop) -> str:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    assert shop.pay_again(buyer, order_id).status == 202
    return order_id


def late(shop: Shop) -> str:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    intent_id = shop.authenticate(order_id)
    shop.end(order_id)
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()
    return order_id


def a_second_payment(shop: Shop) -> str:
    order_id = shop.order_of(a_user())
    shop.db.run(
        """
        INSERT INTO second_payments (provider, intent_id, order_id, refund_key, amount, status, created_at, updated_at)
        VALUES ('stripe', %(key)s::TEXT, %(order_id)s, %(key)s, 99, 'REQUESTED', now(), now())
        """,
        order_id=order_id,
        key=uuid4(),
    )
    return order_id


def later(take: Callable[..., int]) -> Sweep:
    """The sweep an hour from now."""
    at = now() + timedelta(hours=1)
    return lambda sql, limit: take(sql, at, 900, limit)


@pytest.mark.parametrize(
    ("plant", "sweep"),
    [
        pytest.param(a_refund, later(resuming.refund_again), id="refunds"),
        pytest.param(an_attempt, later(resuming.attempt_again), id="attempts"),
        pytest.param(late, later(late_money.ask_again), id="late money"),
        pytest.param(a_second_payment, later(second_payments.give_back_again), id="second payments"),
    ],
)
def test_one_run_takes_a_limited_number_and_two_at_once_take_different_ones(
    shop: Shop, plant: Callable[[Shop], str], sweep: Sweep
) -> None:
    orders = {UUID(plant(shop)) for _ in range(3)}
    before = len(shop.db.all("SELECT 1 FROM outbox"))
    assert sweeping.runs(database, sweep, limit=2) == (2, 1, 0)
    sent = shop.db.all("SELECT subject FROM outbox ORDER BY id")[before:]
    assert {row["subject"] for row in sent} == orders
    assert len(sent) == 3


def test_a_refund_whose_command_was_lost_is_given_back_once(shop: Shop) -> None:
    order_id = a_refund(shop)
    shop.lose()
    for _ in range(2):
        resume_payments.handler({"olderThanSeconds": 0}, context())
    shop.deliver()
    assert str(shop.order(order_id)["refunded_amount"]) == "30.00"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [3000]


def test_an_attempt_whose_command_was_lost_takes_the_money_once(shop: Shop) -> None:
    order_id = an_attempt(shop)
    shop.lose()
    for _ in range(2):
        resume_payments.handler({"olderThanSeconds": 0}, context())
    shop.deliver()
    assert shop.attempts(order_id) == ["DECLINED", "SUCCEEDED"]
    assert [intent["status"] for intent in shop.intents(order_id)] == ["succeeded"]


def test_a_sweep_that_fails_undoes_no_other_and_holds_none_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund_of, attempt_of = a_refund(shop), an_attempt(shop)
    shop.lose()

    def broken(*_: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr(late_money, "ask_again", broken)
    monkeypatch.setattr(resuming, "attempt_again", broken)
    with pytest.raises(ExceptionGroup) as failed:
        resume_payments.handler({"olderThanSeconds": 0}, context())
    assert len(failed.value.exceptions) == 2
    shop.deliver()
    assert shop.status(refund_of) == "PARTIALLY_REFUNDED"

    monkeypatch.undo()
    resume_payments.handler({"olderThanSeconds": 0}, context())
    shop.deliver()
    assert shop.status(attempt_of) == "PAID"
