"""Money that came after the end of its order: it buys the seats again, or goes back. Tickets decides which."""

from typing import Any

import pytest

from functions.payments.consumers import tickets
from functions.payments.jobs import resume_payments
from shared.contracts import LatePaymentReceived, LatePaymentRefused, OrderIssued, OrderPaid, OrderRefunded
from tests.integration.payments.money import give_back_in_dashboard, intent_of, left, sweep
from tests.payments_shop import Shop
from tests.support import a_user, context


def paid_too_late(shop: Shop) -> str:
    """An order that was cancelled, its seats given back, and then paid."""
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    intent_id = shop.authenticate(order_id)
    shop.end(order_id)
    shop.hear(tickets, "tickets.order_released.v1", ids(shop, order_id))
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()
    return order_id


def ids(shop: Shop, order_id: str) -> dict[str, Any]:
    return {"orderId": order_id, "userId": str(a_user().id), "eventId": str(shop.event_id)}


def refuse(shop: Shop, order_id: str) -> None:
    shop.hear(tickets, LatePaymentRefused.TYPE, {"orderId": order_id, "reason": "SOLD_OUT"})


def test_late_money_asks_for_its_seats_and_the_order_stays_cancelled_until_it_has_them(shop: Shop) -> None:
    order_id = paid_too_late(shop)

    assert shop.status(order_id) == "CANCELLED"
    assert shop.order(order_id)["captured_amount"] == shop.order(order_id)["total_amount"]
    assert len(shop.published(LatePaymentReceived, order_id)) == 1
    assert shop.published(OrderPaid, order_id) == []

    issued = shop.issue(order_id)

    order = shop.order(order_id)
    assert (order["payment_status"], order["released_at"]) == ("PAID", None)
    assert [(t["id"], t["status"]) for t in order["tickets"]] == [(t["ticketId"], "ACTIVE") for t in issued]
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [0]


def test_money_for_an_order_whose_seats_went_back_is_late_whatever_else_was_heard_of_it(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    shop.hear(tickets, "tickets.order_released.v1", ids(shop, order_id))
    shop.webhook(shop.authenticate(order_id), "payment_intent.succeeded")
    shop.deliver()

    assert shop.status(order_id) == "CANCELLED"
    assert len(shop.published(LatePaymentReceived, order_id)) == 1
    assert shop.published(OrderPaid, order_id) == []
    refuse(shop, order_id)
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"


def test_late_money_without_seats_goes_back(shop: Shop) -> None:
    order_id = paid_too_late(shop)
    refuse(shop, order_id)
    refuse(shop, order_id)
    shop.deliver()
    refuse(shop, order_id)

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]
    assert shop.history(order_id)[-3:] == ["LATE_PAYMENT", "REFUND_REQUESTED", "REFUNDED"]
    assert len(shop.published(OrderRefunded, order_id)) == 1


def test_a_refusal_that_comes_after_the_tickets_changes_nothing(shop: Shop) -> None:
    order_id = paid_too_late(shop)
    shop.issue(order_id)
    refuse(shop, order_id)
    assert (shop.status(order_id), shop.deliver()) == ("PAID", 0)


def test_old_news_that_the_seats_were_released_does_not_undo_the_new_tickets(shop: Shop) -> None:
    order_id = paid_too_late(shop)
    shop.issue(order_id)
    shop.hear(tickets, "tickets.order_released.v1", ids(shop, order_id), version=2)
    order = shop.order(order_id)
    assert {ticket["status"] for ticket in order["tickets"]} == {"ACTIVE"}
    assert (order["payment_status"], order["released_at"]) == ("PAID", None)


def test_tickets_that_were_released_before_their_issue_was_heard_of_are_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.hear(tickets, "tickets.order_released.v1", ids(shop, order_id), version=3)
    one = {"ticketId": str(a_user().id), "ticketNumber": "T-1", "ticketTypeId": str(a_user().id)}
    data = ids(shop, order_id) | {"orderNumber": "BO-1", "tickets": [one]}
    shop.hear(tickets, OrderIssued.TYPE, data, version=2)
    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["VOID"]


def test_a_question_that_was_never_answered_is_asked_again(shop: Shop) -> None:
    order_id = paid_too_late(shop)
    assert resume_payments.handler({}, context()) == {"handled": 0}
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    assert len(shop.published(LatePaymentReceived, order_id)) == 2

    refuse(shop, order_id)
    shop.deliver()
    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}


@pytest.mark.parametrize("by_organizer", [False, True])
def test_late_money_of_which_a_part_went_back_waits_for_its_seats_like_all_of_it(
    shop: Shop, by_organizer: bool
) -> None:
    bought, refused = paid_too_late(shop), paid_too_late(shop)
    for order_id in (bought, refused):
        if by_organizer:
            assert shop.ask_refund(order_id, amount="40.00").status == 202
        else:
            give_back_in_dashboard(shop, order_id, 4000)
            shop.webhook(intent_of(shop, order_id), "charge.refunded")
        shop.deliver()
        assert shop.status(order_id) == "CANCELLED"
    asked = len(shop.published(LatePaymentReceived, refused))
    sweep(shop)
    assert len(shop.published(LatePaymentReceived, refused)) > asked, "a lost answer is asked for again"

    shop.issue(bought)
    refuse(shop, refused)
    sweep(shop)

    assert (shop.status(bought), left(shop, bought)) == ("PARTIALLY_REFUNDED", "59.00")
    assert (shop.status(refused), left(shop, refused)) == ("REFUNDED", "0.00")


def test_no_seats_are_asked_for_with_money_that_could_not_go_back(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    shop.issue(order_id)
    assert shop.ask_refund(order_id).status == 202
    shop.deliver()
    shop.webhook(intent_of(shop, order_id), "refund.updated")
    shop.deliver()
    assert shop.status(order_id) == "CANCELLED"

    assert resume_payments.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}
    assert shop.published(LatePaymentReceived, order_id) == []
