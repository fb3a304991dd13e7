"""What is told of an order to those who keep lists of orders, and when."""

from typing import Any
from uuid import uuid4

from functions.payments.consumers import mail
from functions.payments.routes import refund
from shared.contracts import OrderChanged
from tests.payments_shop import Shop
from tests.support import a_user, call


def told(shop: Shop, order_id: str) -> list[dict[str, Any]]:
    return shop.published(OrderChanged, order_id)


def give_back(shop: Shop, order_id: str, **body: Any) -> None:
    body |= {"orderId": order_id, "reason": "Sorry"}
    headers = {"Idempotency-Key": str(uuid4())}
    path = "/api/payments/refund"
    reply = call(refund.handler, "POST", path, user=shop.organizer, body=body, headers=headers)
    assert reply.status == 202
    shop.deliver()


def test_an_order_is_told_of_from_its_creation_to_its_tickets(shop: Shop) -> None:
    buyer = a_user()
    reservation = shop.reservation(buyer=buyer)
    shop.charge(reservation)
    order_id = reservation["orderId"]
    shop.issue(order_id)

    created, paid, issued = told(shop, order_id)

    assert (created["paymentStatus"], created["capturedAmount"]) == ("PENDING", "0.00")
    assert (paid["paymentStatus"], paid["capturedAmount"]) == ("PENDING", "99.00")
    assert (issued["paymentStatus"], issued["capturedAmount"]) == ("PAID", "99.00")
    type_id = reservation["items"][0]["ticketTypeId"]
    assert issued["items"] == [{"ticketTypeId": type_id, "quantity": 2, "unitPrice": "49.50"}]
    assert created["items"] == issued["items"]
    assert (issued["userId"], issued["createdAt"]) == (str(buyer.id), created["createdAt"])
    assert (issued["totalAmount"], issued["refundedAmount"], issued["refunds"]) == ("99.00", "0.00", [])


def test_the_versions_are_the_orders_own(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    envelopes = [message for message in shop.aws.messages("payments") if message["subject"] == order_id]

    versions = [message["sequence"] for message in envelopes if message["type"] == OrderChanged.TYPE]

    assert versions == [1, 2, 3] == list(range(1, shop.order(order_id)["version"] + 1))


def test_what_an_order_does_not_show_is_not_told(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    shop.issue(order_id)
    before = len(told(shop, order_id))

    mailed = {"notificationId": str(uuid4()), "userId": str(uuid4()), "orderId": order_id}
    news = mailed | {"template": "order-confirmation", "status": "SENT"}
    shop.hear(mail, "notifications.mail_status_changed.v1", news)

    assert shop.history(order_id)[-1] == "MAIL_STATUS"
    assert len(told(shop, order_id)) == before


def test_a_decline_and_another_card_are_told(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_again(buyer, order_id)
    shop.deliver()

    assert [message["paymentStatus"] for message in told(shop, order_id)] == [
        "PENDING",
        "PAYMENT_FAILED",
        "PENDING",
        "PENDING",  # the money is there, the tickets are not
    ]
    assert [message["capturedAmount"] for message in told(shop, order_id)[-2:]] == ["0.00", "99.00"]


def test_refunds_are_told_with_the_types_they_were_for(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    ticket = shop.issue(order_id)[0]

    give_back(shop, order_id, ticketIds=[ticket["ticketId"]])
    give_back(shop, order_id, amount="10.00")

    last = told(shop, order_id)[-1]
    shares = [{"ticketTypeId": ticket["ticketTypeId"], "amount": "49.50"}]
    assert (last["paymentStatus"], last["refundedAmount"]) == ("PARTIALLY_REFUNDED", "59.50")
    assert [(made["amount"], made["shares"]) for made in last["refunds"]] == [
        ("49.50", shares),
        ("10.00", []),
    ]


def test_an_order_that_was_not_paid_in_time_is_told_as_cancelled(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    shop.cancel(order_id)

    assert told(shop, order_id)[-1]["paymentStatus"] == "CANCELLED"
