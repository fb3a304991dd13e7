"""An event was cancelled: what is left of every order's money goes back, once, whoever else refunds it."""

from typing import Any
from uuid import uuid4

from functions.payments.consumers import refunds, tickets
from functions.payments.routes import get_order
from functions.payments.saga import await_payment
from shared.contracts import (
    OrderCancelled,
    OrderIssued,
    OrderRefunded,
    OrderReleased,
    PurchaseStopped,
    TicketsVoided,
)
from tests.integration.payments.money import give_back_in_dashboard, intent_of, left, sweep
from tests.integration.payments.test_late_money import paid_too_late
from tests.payments_shop import Shop
from tests.support import a_user, call, context


def void(
    shop: Shop,
    order_id: str,
    *ticket_ids: str,
    reason: str = "EVENT_CANCELLED",
    version: int | None = None,
) -> None:
    shop.hear(
        tickets, TicketsVoided.TYPE, _data(shop, order_id, ticketIds=ticket_ids, reason=reason), version
    )


def hear_issued(shop: Shop, order_id: str, ticket_id: str, version: int) -> None:
    one = {"ticketId": ticket_id, "ticketNumber": "T-1", "ticketTypeId": str(uuid4())}
    shop.hear(tickets, OrderIssued.TYPE, _data(shop, order_id, orderNumber="BO-1", tickets=[one]), version)


def stop(shop: Shop, order_id: str) -> None:
    shop.hear(tickets, PurchaseStopped.TYPE, _data(shop, order_id, reason="EVENT_CANCELLED"))


def _data(shop: Shop, order_id: str, **more: Any) -> dict[str, Any]:
    return {"orderId": order_id, "userId": str(uuid4()), "eventId": str(shop.event_id), **more}


def test_a_paid_order_is_refunded_once(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    for _ in range(2):
        void(shop, order_id, *ids)
    shop.deliver()
    void(shop, order_id, *ids)

    order = shop.order(order_id)
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])
    assert {ticket["status"] for ticket in order["tickets"]} == {"VOID"}
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]
    causes = shop.db.all("SELECT cause FROM refunds WHERE order_id = %(id)s", id=order_id)
    assert causes == [{"cause": "EVENT_CANCELLED"}]
    assert len(shop.published(OrderRefunded, order_id)) == 1


def test_only_what_is_left_after_an_earlier_refund_goes_back(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    first, second = (ticket["ticketId"] for ticket in shop.issue(order_id))
    assert shop.ask_refund(order_id, ticketIds=[first]).status == 202
    shop.deliver()
    void(shop, order_id, second)
    shop.deliver()
    assert shop.status(order_id) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_an_organizer_s_refund_on_its_way_and_the_cancellation_give_back_the_payment_once(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    assert shop.ask_refund(order_id, amount="40.00").status == 202
    void(shop, order_id, *ids)
    assert shop.ask_refund(order_id, amount="1.00").code == "REFUND_EXCEEDS_PAYMENT"
    shop.deliver()
    order = shop.order(order_id)
    assert (order["payment_status"], order["refunding_amount"]) == ("REFUNDED", 0)
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_a_free_order_is_cancelled_without_a_payment(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), None, price="0.00", method="free")
    void(shop, order_id, *(ticket["ticketId"] for ticket in shop.issue(order_id)))
    assert shop.status(order_id) == "CANCELLED"
    assert len(shop.published(OrderCancelled, order_id)) == 1
    assert shop.deliver() == 0


def test_tickets_voided_for_another_reason_cost_nothing(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    first, _ = (ticket["ticketId"] for ticket in shop.issue(order_id))
    void(shop, order_id, first, reason="REFUNDED")
    order = shop.order(order_id)
    assert [ticket["status"] for ticket in order["tickets"]] == ["VOID", "ACTIVE"]
    assert (order["payment_status"], shop.deliver()) == ("PAID", 0)


def test_tickets_that_were_void_before_their_issue_was_heard_of_come_void(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ticket_id = str(uuid4())
    void(shop, order_id, ticket_id, reason="DISPUTED", version=3)
    hear_issued(shop, order_id, ticket_id, version=2)
    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["VOID"]


def test_tickets_stay_void_when_their_issue_is_heard_of_after_a_buyer_asked_for_them(shop: Shop) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer)
    shop.charge(reservation)
    order_id, ticket_id = reservation["orderId"], uuid4()
    shop.tickets_says(reservation, "ISSUED", ticket_id)
    call(get_order.handler, "GET", f"/api/payments/orders/{order_id}", user=buyer)
    void(shop, order_id, str(ticket_id), reason="REFUNDED", version=3)
    [known] = shop.order(order_id)["tickets"]
    assert known["status"] == "VOID"

    hear_issued(shop, order_id, str(ticket_id), version=2)

    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["VOID"]
    hear_issued(shop, order_id, str(ticket_id), version=4)  # a dispute was won: it is valid again
    assert [ticket["status"] for ticket in shop.order(order_id)["tickets"]] == ["ACTIVE"]


def test_tickets_that_were_void_before_their_second_issue_was_heard_of_come_void(shop: Shop) -> None:
    order_id, ticket_id = shop.order_of(a_user()), str(uuid4())
    hear_issued(shop, order_id, str(uuid4()), version=2)
    shop.hear(tickets, OrderReleased.TYPE, _data(shop, order_id), 3)
    void(shop, order_id, ticket_id, reason="DISPUTED", version=5)

    hear_issued(shop, order_id, ticket_id, version=4)

    shown = shop.order(order_id)["tickets"]
    assert [(ticket["id"], ticket["status"]) for ticket in shown] == [(ticket_id, "VOID")]


def test_a_waiting_order_ends_at_once(shop: Shop, aws: Any) -> None:
    machine = aws.state_machine()
    del machine
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    stop(shop, order_id)
    stop(shop, order_id)
    assert shop.history(order_id)[-1] == "STOPPED"
    assert shop.pay_again(a_user(id=shop.order(order_id)["user_id"]), order_id).code == "ORDER_NOT_PAYABLE"
    waits = {"orderId": order_id, "taskToken": "a-token", "outcome": "action_required"}
    await_payment.handler(waits, context())
    woken = shop.db.all("SELECT payload FROM outbox WHERE type = 'task.answered'")
    assert len(woken) == 1
    assert shop.db.all("SELECT 1 FROM task_tokens") == []


def test_the_saga_that_waits_for_the_money_is_woken(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_authenticationRequired")
    waits = {"orderId": order_id, "taskToken": "a-token", "outcome": "action_required"}
    await_payment.handler(waits, context())
    assert len(shop.db.all("SELECT 1 FROM task_tokens")) == 1
    stop(shop, order_id)
    assert shop.db.all("SELECT 1 FROM task_tokens") == []
    assert len(shop.db.all("SELECT 1 FROM outbox WHERE type = 'task.answered'")) == 1
    assert shop.cancel(order_id) == "cancelled"


def test_an_order_that_is_paid_is_not_stopped(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    stop(shop, order_id)
    assert (shop.status(order_id), shop.history(order_id)[-1]) == ("PAID", "PAID")


def test_what_the_dashboard_gave_back_of_a_cancelled_event_s_order_leaves_the_rest_to_go_back(
    shop: Shop,
) -> None:
    order_id = shop.order_of(a_user())
    ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    void(shop, order_id, *ids)
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id, "amount": 100})

    shop.deliver()

    assert shop.status(order_id) == "REFUNDED"
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_late_money_whose_new_seats_were_called_off_before_they_were_heard_of_goes_back(shop: Shop) -> None:
    order_id = paid_too_late(shop)  # released in the purchase's version 2
    void(shop, order_id, ticket_id := str(uuid4()), version=5)
    hear_issued(shop, order_id, ticket_id, version=4)
    sweep(shop)

    order = shop.order(order_id)
    assert {ticket["status"] for ticket in order["tickets"]} == {"VOID"}
    assert (order["payment_status"], order["refunded_amount"]) == ("REFUNDED", order["total_amount"])


def test_the_rest_goes_back_though_nobody_could_tell_what_the_dashboard_had_given_back(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ticket_ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    assert shop.ask_refund(order_id, amount="20.00").status == 202
    give_back_in_dashboard(shop, order_id, 4000)
    void(shop, order_id, *ticket_ids)
    # The organizer's refund comes second: what was asked for last is more than the dashboard left.
    shop.hand_over(refunds.handler, "payments-refunds", shop.aws.messages("payments-refunds")[-1])
    assert shop.order(order_id)["refunds_unclear"]
    shop.deliver()
    sweep(shop)

    assert (shop.status(order_id), left(shop, order_id)) == ("REFUNDED", "0.00"), shop.history(order_id)
    assert [intent["amountRefunded"] for intent in shop.intents(order_id)] == [9900]


def test_what_an_organizer_could_not_give_back_goes_back_when_the_event_is_called_off(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ticket_ids = [ticket["ticketId"] for ticket in shop.issue(order_id)]
    assert shop.ask_refund(order_id).status == 202
    give_back_in_dashboard(shop, order_id, 100)
    void(shop, order_id, *ticket_ids)  # finds nothing that is not on its way
    sweep(shop)

    assert (shop.status(order_id), left(shop, order_id)) == ("REFUNDED", "0.00"), shop.history(order_id)


def test_what_a_bank_sent_back_is_not_asked_for_again(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_refundFail")
    void(shop, order_id, *(ticket["ticketId"] for ticket in shop.issue(order_id)))
    shop.deliver()
    shop.webhook(intent_of(shop, order_id), "refund.updated")
    shop.deliver()
    shop.db.run("UPDATE orders SET refunds_unclear = TRUE WHERE id = %(id)s", id=order_id)
    sweep(shop)

    order = shop.order(order_id)
    assert (order["refunds_unclear"], left(shop, order_id)) == (False, "99.00")
    assert len(shop.db.all("SELECT FROM refunds WHERE order_id = %(id)s", id=order_id)) == 1
