"""Refunds that somebody made in a provider's dashboard and that fail later: books are the provider's again."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from functions.payments import provider, refund_outcomes, refunding, webhooks
from functions.payments.database import database
from functions.payments.gateways.gateway import RefundResult
from functions.payments.repository import orders
from shared.clock import now
from tests.integration.payments.money import give_back_in_dashboard, intent_of, sweep
from tests.payments_shop import Shop
from tests.stripe_server import eventually
from tests.support import a_user


def given_back(shop: Shop, order_id: str, *cents: int) -> None:
    """Behind our back, and heard of at once; what was taken over is one refund."""
    intent_id, type_ = intent_of(shop, order_id), "charge.refunded"
    expected = len(shop.endpoint.of(intent_id, type_)) + len(cents)
    for amount in cents:
        give_back_in_dashboard(shop, order_id, amount)
    eventually(lambda: len(shop.endpoint.of(intent_id, type_)) == expected)
    shop.webhook(intent_id, type_)
    shop.deliver()


def hear_that_one_failed(shop: Shop, order_id: str, amount: str, *, total: str) -> None:
    """The provider has given back this total now, one of this amount having failed."""
    answer = provider.stripe().fetch(intent_of(shop, order_id))
    failed = RefundResult(f"re_{amount}", answer.intent_id, "failed", Decimal(amount), None, "lost_card")
    with database.transaction() as sql:
        before = orders.get(sql, UUID(order_id))
        told = replace(answer, amount_refunded=Decimal(total))
        webhooks.hear(sql, "stripe", before, told, now(), failed=failed)


def refunds_of(shop: Shop, order_id: str) -> list[tuple[str, str]]:
    rows = shop.db.all(
        "SELECT amount, status FROM refunds WHERE order_id = %(id)s ORDER BY created_at", id=order_id
    )
    return [(str(row["amount"]), row["status"]) for row in rows]


@pytest.mark.parametrize(
    ("cents", "amount", "afterwards"), [(9900, "99.00", "CANCELLED"), (4000, "40.00", "PAID")]
)
def test_a_refund_of_the_dashboard_s_that_fails_later_is_known_to_have_failed(
    shop: Shop, cents: int, amount: str, afterwards: str, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(order_id)
    given_back(shop, order_id, cents)
    assert str(shop.order(order_id)["refunded_amount"]) == amount

    for _ in range(2):
        shop.webhook(intent_of(shop, order_id), "refund.updated")
        shop.deliver()
        sweep(shop)

    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [0]
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == (afterwards, 0), (
        "all tickets are void, or none"
    )
    assert refunds_of(shop, order_id) == [(amount, "FAILED")]
    [row] = shop.db.all("SELECT failure, gateway_refund_id FROM refunds")
    assert row["failure"] == "expired_or_canceled_card"
    assert row["gateway_refund_id"].startswith("re_")
    assert shop.history(order_id)[-2:] == ["REFUNDED", "REFUND_FAILED"]
    assert capsys.readouterr().out.count('"RefundsFailed": [1]') == 1, "an alarm rings"


def test_one_that_failed_before_it_was_heard_of_changes_nothing(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(order_id)
    give_back_in_dashboard(shop, order_id, 4000)
    for type_ in ("refund.updated", "charge.refunded"):
        shop.webhook(intent_of(shop, order_id), type_)
        shop.deliver()
    assert refunds_of(shop, order_id) == []
    assert shop.status(order_id) == "PAID"


def test_of_two_that_were_taken_over_as_one_the_other_is_taken_over_anew(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    given_back(shop, order_id, 2000, 3000)

    hear_that_one_failed(shop, order_id, "30.00", total="20.00")
    assert refunds_of(shop, order_id) == [("50.00", "FAILED"), ("20.00", "SUCCEEDED")]
    assert shop.order(order_id)["refunded_amount"] == 20
    hear_that_one_failed(shop, order_id, "20.00", total="0.00")

    assert refunds_of(shop, order_id) == [("50.00", "FAILED"), ("20.00", "FAILED")]
    assert shop.order(order_id)["refunded_amount"] == 0


def test_of_several_the_one_of_the_amount_that_is_missing_has_failed(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    for cents in (2000, 3000):
        given_back(shop, order_id, cents)
    hear_that_one_failed(shop, order_id, "20.00", total="30.00")
    assert refunds_of(shop, order_id) == [("20.00", "FAILED"), ("30.00", "SUCCEEDED")]


def test_while_a_refund_of_ours_is_on_its_way_it_is_asked_again_when_that_is_over(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(order_id)
    given_back(shop, order_id, 4000)
    eventually(lambda: shop.endpoint.of(intent_of(shop, order_id), "refund.updated"))  # it has failed there
    assert shop.ask_refund(order_id, amount="20.00").status == 202
    hear_that_one_failed(shop, order_id, "40.00", total="20.00")
    with database.transaction() as sql:  # other news of it meanwhile
        before = orders.get(sql, UUID(order_id))
        webhooks.hear(sql, "stripe", before, provider.stripe().fetch(intent_of(shop, order_id)), now())
    assert shop.order(order_id)["refunded_amount"] == 40, "the provider's total may include ours"
    shop.deliver()
    assert shop.order(order_id)["refunded_amount"] == 60
    sweep(shop)

    assert refunds_of(shop, order_id) == [("40.00", "FAILED"), ("20.00", "SUCCEEDED")]
    assert (shop.order(order_id)["refunded_amount"], shop.order(order_id)["refunds_unclear"]) == (20, False)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_answer_from_before_the_order_changed_fails_nothing(shop: Shop, is_known: bool) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    with database.transaction() as sql:
        before = orders.get(sql, UUID(order_id))
    answer = provider.stripe().fetch(intent_of(shop, order_id))  # nothing has gone back
    given_back(shop, order_id, 4000)
    failed = RefundResult("re_1", answer.intent_id, "failed", Decimal("10.00"), None)
    with pytest.raises(webhooks.TooEarly), database.transaction() as sql:
        webhooks.hear(sql, "stripe", before if is_known else None, answer, now(), failed=failed)
    assert shop.order(order_id)["refunded_amount"] == 40


def test_one_that_failed_while_ours_was_on_its_way_is_found_though_ours_is_refused(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    given_back(shop, order_id, 4000)
    assert shop.ask_refund(order_id).status == 202
    hear_that_one_failed(shop, order_id, "40.00", total="0.00")
    [ours] = shop.db.all("SELECT id FROM refunds WHERE status = 'REQUESTED'")
    refused = refunding.NotRefundable("charge_disputed", Decimal("0.00"))

    with database.transaction() as sql:
        refund_outcomes.record(sql, ours["id"], refused, now())
        marked = orders.get(sql, UUID(order_id))
        assert marked is not None
        assert marked.refunds_unclear
        told = replace(provider.stripe().fetch(intent_of(shop, order_id)), amount_refunded=Decimal("0.00"))
        webhooks.hear(sql, "stripe", marked, told, now())

    assert refunds_of(shop, order_id) == [("40.00", "FAILED"), ("59.00", "FAILED")]
    order = shop.order(order_id)
    assert (order["refunded_amount"], order["refunds_unclear"]) == (0, False)


def test_one_of_ours_that_failed_unheard_is_told_from_those_of_the_dashboard_in_the_end(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    for cents in (2000, 3000):
        given_back(shop, order_id, cents)
    ours = shop.ask_refund(order_id, amount="40.00").body["refundId"]
    shop.deliver()
    hear_that_one_failed(shop, order_id, "20.00", total="30.00")  # ours has failed, too
    assert shop.order(order_id)["refunded_amount"] == 40, "by the sums those of the dashboard failed"

    failed = RefundResult("re_1", intent_of(shop, order_id), "failed", Decimal("40.00"), ours, "lost_card")
    with database.transaction() as sql:
        refund_outcomes.record(sql, UUID(ours), failed, now())
        marked = orders.get(sql, UUID(order_id))
        assert marked is not None
        assert marked.refunds_unclear
        told = replace(provider.stripe().fetch(intent_of(shop, order_id)), amount_refunded=Decimal("30.00"))
        webhooks.hear(sql, "stripe", marked, told, now())

    order = shop.order(order_id)
    assert (order["refunded_amount"], order["refunds_unclear"]) == (30, False)
    assert refunds_of(shop, order_id)[-1] == ("30.00", "SUCCEEDED")
