"""Payments that do not go straight: declined cards, 3-D Secure, holds that run out, late and forged webhooks."""

import pytest

from tests.e2e.box_office import Show, available, order_of, pay_again, publish, purchase, reserve, settled
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def show(laptop: Laptop) -> Show:
    return publish(laptop.client.newcomer("ORGANIZER", "Otto"))


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Paula")


def authenticate(buyer: Client, client_secret: str, outcome: str) -> None:
    intent = client_secret.split("_secret_")[0]
    buyer.post(f"/_local/payments/{intent}/authenticate", {"outcome": outcome}).expect(200)


def test_a_declined_card_keeps_the_seats_and_another_card_completes_the_order(
    show: Show, buyer: Client
) -> None:
    before = available(show)
    order_id = order_of(buyer, show, "pm_card_chargeDeclined", quantity=2)

    failed = settled(buyer, order_id)
    assert failed["paymentStatus"] == "PAYMENT_FAILED"
    assert failed["failure"]["code"]
    assert failed["payBy"]
    assert available(show) == before - 2
    assert pay_again(buyer, order_id, "pm_card_chargeDeclinedInsufficientFunds").status == 202
    failure = eventually(
        lambda: (
            (settled(buyer, order_id, "PAYMENT_FAILED")["failure"]["code"] == "insufficient_funds") or None
        )
    )
    assert failure
    pay_again(buyer, order_id, "pm_card_visa").expect(202)

    paid = settled(buyer, order_id, "PAID")
    assert len(paid["tickets"]) == 2
    assert available(show) == before - 2
    assert pay_again(buyer, order_id, "pm_card_visa").status == 409


def test_three_d_secure_waits_for_the_buyer_and_goes_on_by_webhook(show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show, "pm_card_authenticationRequired")
    due = settled(buyer, order_id)
    assert due["paymentStatus"] == "REQUIRES_ACTION"

    authenticate(buyer, due["clientSecret"], "succeed")

    assert len(settled(buyer, order_id, "PAID")["tickets"]) == 1


def test_three_d_secure_that_fails_keeps_the_seats_for_another_card(show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show, "pm_card_authenticationRequired")
    authenticate(buyer, settled(buyer, order_id)["clientSecret"], "fail")
    settled(buyer, order_id, "PAYMENT_FAILED")

    pay_again(buyer, order_id, "pm_card_visa").expect(202)

    settled(buyer, order_id, "PAID")


def test_only_the_buyer_sees_the_client_secret(show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show, "pm_card_authenticationRequired")
    settled(buyer, order_id, "REQUIRES_ACTION")

    seen = show.organizer.get(f"/api/payments/orders/{order_id}").expect(200)

    assert seen.get("clientSecret") is None


def test_a_forged_webhook_changes_nothing(show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show, "pm_card_chargeDeclined")
    settled(buyer, order_id, "PAYMENT_FAILED")
    forged = b'{"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}'

    answer = buyer.send("POST", "/api/payments/webhooks/stripe", forged, {"Stripe-Signature": "t=1,v1=00"})

    assert answer.status == 400
    assert settled(buyer, order_id)["paymentStatus"] == "PAYMENT_FAILED"


def test_a_free_ticket_needs_no_payment(laptop: Laptop, buyer: Client) -> None:
    free = publish(laptop.client.newcomer("ORGANIZER", "Fay"), price="0.00")
    held = reserve(buyer, free).expect(201)
    body = {"reservationId": held["reservationId"], "paymentMethod": {"type": "free"}}

    order_id = buyer.post("/api/tickets/purchase", body, key="free").expect(202)["orderId"]

    assert len(settled(buyer, order_id, "PAID")["tickets"]) == 1


def test_free_is_not_a_way_to_pay_for_what_costs_something(show: Show, buyer: Client) -> None:
    held = reserve(buyer, show).expect(201)
    body = {"reservationId": held["reservationId"], "paymentMethod": {"type": "free"}}

    assert buyer.post("/api/tickets/purchase", body, key="not-free").status == 400


def test_a_hold_that_runs_out_cannot_be_bought_and_its_seat_comes_back(hurried_laptop: Laptop) -> None:
    show = publish(hurried_laptop.client.newcomer("ORGANIZER", "Hugo"), quantityAvailable=1)
    slow, quick = (hurried_laptop.client.newcomer(first_name=name) for name in ("Slow", "Quick"))
    held = reserve(slow, show).expect(201)
    assert reserve(quick, show).code == "SOLD_OUT"

    taken = eventually(lambda: (answer := reserve(quick, show)).status == 201 and answer.body)

    assert purchase(slow, held["reservationId"]).code == "RESERVATION_EXPIRED"
    order_id = purchase(quick, taken["reservationId"]).expect(202)["orderId"]
    settled(quick, order_id, "PAID")


def test_an_order_not_paid_in_time_is_cancelled_its_seats_are_back_and_the_buyer_is_told(
    hurried_laptop: Laptop,
) -> None:
    show = publish(hurried_laptop.client.newcomer("ORGANIZER", "Hanna"), quantityAvailable=1)
    buyer = hurried_laptop.client.newcomer(first_name="Late")
    order_id = order_of(buyer, show, "pm_card_chargeDeclined")
    settled(buyer, order_id, "PAYMENT_FAILED")
    assert available(show) == 0

    cancelled = settled(buyer, order_id, "CANCELLED")

    eventually(lambda: available(show) == 1)
    mails = eventually(
        lambda: [
            mail
            for mail in buyer.mails_to(str(buyer.email))
            if cancelled["orderNumber"] in mail["text"] and "cancel" in mail["subject"].lower()
        ]
    )
    assert len(mails) == 1
    assert pay_again(buyer, order_id, "pm_card_visa").status == 409
