"""CancelPayment and RefundPayment: nobody is charged without tickets."""

import pytest

from functions.payments import charging, provider
from functions.payments.compensating import NotDecided
from functions.payments.database import database
from functions.payments.saga import refund_payment
from functions.payments.saga_models import Reservation
from shared.clock import now
from shared.contracts import OrderCancelled, OrderRefunded
from tests.payments_shop import Shop
from tests.support import a_user, context


def give_back(order_id: str) -> None:
    refund_payment.handler({"orderId": order_id, "reason": "EVENT_CANCELLED"}, context())


def test_an_unpaid_order_is_cancelled_at_the_provider_first(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    assert shop.cancel(order_id) == "cancelled"
    assert [intent["status"] for intent in shop.intents(order_id)] == ["canceled"]
    order = shop.order(order_id)
    assert (order["payment_status"], order["client_secret"]) == ("CANCELLED", None)
    assert shop.attempts(order_id) == ["CANCELLED"]
    assert len(shop.published(OrderCancelled, order_id)) == 1
    assert shop.cancel(order_id) == "cancelled"


def test_an_order_paid_at_the_last_moment_is_bought_not_cancelled(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    shop.authenticate(order_id)  # and its webhook is still under way
    assert shop.cancel(order_id) == "paid"
    assert shop.status(order_id) == "PAID"
    assert shop.cancel(order_id) == "paid"


def test_while_the_provider_is_away_an_order_is_not_cancelled(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    shop.stripe.fault("error", times=20)
    with pytest.raises(Exception, match="unavailable"):
        shop.cancel(order_id)
    assert shop.status(order_id) == "REQUIRES_ACTION"
    assert shop.order(order_id)["cancel_requested_at"] is not None
    shop.stripe.control("DELETE", "faults")
    assert shop.cancel(order_id) == "cancelled"


def test_nothing_is_charged_once_cancelling_has_begun(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.stripe.fault("error", times=20)
    with pytest.raises(Exception, match="unavailable"):
        shop.cancel(order_id)
    shop.stripe.control("DELETE", "faults")
    assert shop.pay_again(buyer, order_id).code == "ORDER_NOT_PAYABLE"
    assert shop.cancel(order_id) == "cancelled"


@pytest.mark.parametrize("token", ["pm_card_visa", "pm_card_chargeDeclined"])
def test_an_attempt_that_died_before_its_record_is_found_when_cancelling(shop: Shop, token: str) -> None:
    reservation = shop.reservation(token=token)
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    charging.carry_out(provider.stripe(), due)  # and here it died
    paid = token == "pm_card_visa"
    assert shop.cancel(reservation["orderId"]) == ("paid" if paid else "cancelled")
    assert [intent["status"] for intent in shop.intents(reservation["orderId"])] == [
        "succeeded" if paid else "canceled"
    ]


def test_an_attempt_still_on_its_way_is_refused_after_cancelling(shop: Shop) -> None:
    reservation = shop.reservation()
    with database.transaction() as sql:
        due = charging.begin(sql, Reservation.model_validate(reservation), now())
    assert isinstance(due, charging.Due)
    assert shop.cancel(reservation["orderId"]) == "cancelled"
    answer = charging.carry_out(provider.stripe(), due)
    with database.transaction() as sql:
        assert charging.record(sql, due.attempt, answer, now()).outcome == "waiting"
    assert shop.status(reservation["orderId"]) == "CANCELLED"
    assert [intent["status"] for intent in shop.intents(reservation["orderId"])] == ["canceled"]


def test_money_of_an_order_without_tickets_goes_back_once(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    give_back(order_id)
    give_back(order_id)
    shop.deliver()
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]
    [refunded] = shop.published(OrderRefunded, order_id)
    assert refunded["fully"] is True


def test_a_refund_that_dies_between_call_and_record_is_the_same_refund_again(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.stripe.fault("kill_after", operation="refunds.create", times=2)
    with pytest.raises(Exception, match="provider"):
        give_back(order_id)
    shop.stripe.control("DELETE", "faults")
    give_back(order_id)
    assert shop.status(order_id) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_a_saga_that_is_run_again_after_its_refund_began_makes_no_tickets(shop: Shop) -> None:
    reservation = shop.reservation()
    assert shop.charge(reservation) == "paid"
    shop.stripe.fault("error", times=20)
    with pytest.raises(Exception, match="unavailable"):
        give_back(reservation["orderId"])
    assert shop.charge(reservation) == "refunded"
    assert shop.cancel(reservation["orderId"]) == "refunded", "neither cancelled nor bought"
    shop.stripe.control("DELETE", "faults")
    give_back(reservation["orderId"])
    assert shop.charge(reservation) == "refunded"
    assert shop.status(reservation["orderId"]) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(reservation["orderId"])] == [9900]


def test_an_order_whose_money_could_not_go_back_is_bought_when_its_saga_is_run_again(shop: Shop) -> None:
    reservation = shop.reservation(token="pm_card_refundFail")
    order_id = str(reservation["orderId"])
    assert shop.charge(reservation) == "paid"
    give_back(order_id)
    assert shop.charge(reservation) == "refunded"
    shop.webhook(str(shop.order(order_id)["payment_gateway_transaction_id"]), "refund.updated")
    shop.deliver()
    assert shop.history(order_id)[-1] == "REFUND_FAILED"

    assert (shop.charge(reservation), shop.cancel(order_id)) == ("paid", "paid")


def test_a_free_order_without_tickets_is_cancelled(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), None, price="0.00", method="free")
    give_back(order_id)
    assert shop.status(order_id) == "CANCELLED"
    give_back(order_id)


def test_what_was_never_paid_is_not_given_back(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    with pytest.raises(NotDecided):
        give_back(order_id)


def test_an_order_too_small_for_the_provider_can_be_cancelled_all_the_same(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), price="0.10")
    assert shop.cancel(order_id) == "cancelled"
    assert shop.status(order_id) == "CANCELLED"
