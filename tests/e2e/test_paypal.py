"""Paying with PayPal: approved on its page, captured by us once, changed for a card and back, too late, in trouble."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import pytest
import urllib3

from tests.e2e.books import assert_balanced, database
from tests.e2e.box_office import Show, available, order, order_of, pay_again, publish, reserve, settled
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop

PAYPAL = {"type": "paypal"}
FORGED = {
    "PAYPAL-TRANSMISSION-ID": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
    "PAYPAL-TRANSMISSION-TIME": "2026-11-22T20:01:35Z",
    "PAYPAL-TRANSMISSION-SIG": "AAAA",
    "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    "PAYPAL-CERT-URL": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270",
}


@pytest.fixture(scope="module")
def show(laptop: Laptop) -> Show:
    return publish(laptop.client.newcomer("ORGANIZER", "Petra"))


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Pal")


def paypal_order(buyer: Client, show: Show, quantity: int = 1) -> str:
    """Reserve, and choose PayPal; the order, which waits for its buyer's approval."""
    held = reserve(buyer, show, quantity).expect(201)
    body = {"reservationId": held["reservationId"], "paymentMethod": PAYPAL}
    order_id = str(buyer.post("/api/tickets/purchase", body, key=str(uuid4())).expect(202)["orderId"])
    assert settled(buyer, order_id)["paymentStatus"] == "REQUIRES_ACTION"
    return order_id


def change_to_paypal(buyer: Client, order_id: str) -> None:
    body = {"orderId": order_id, "paymentMethod": PAYPAL}
    buyer.post("/api/payments/process", body, key=str(uuid4())).expect(202)
    assert settled(buyer, order_id)["paymentStatus"] == "REQUIRES_ACTION"


def payment_of(buyer: Client, order_id: str) -> str:
    """PayPal's own name for the order, as its page is told it."""
    url: str = order(buyer, order_id)["approvalUrl"]
    return parse_qs(urlsplit(url).query)["token"][0]


def approve(buyer: Client, payment_id: str, funding: str = "balance") -> None:
    """The buyer's step at PayPal, without its page."""
    step = {"outcome": "succeed", "funding": funding}
    buyer.post(f"/_local/payments/{payment_id}/authenticate", step).expect(200)


def simulator(laptop: Laptop) -> str:
    """Where the simulated PayPal is."""
    ports = json.loads((laptop.state / "ports.json").read_text())
    return f"http://127.0.0.1:{ports['paypal']}"


def captured(laptop: Laptop, order_id: str) -> list[tuple[int, int]]:
    """What PayPal took for the order, and what it gave back of that, in cents: one pair for each capture."""
    answer = urllib3.request("GET", f"{simulator(laptop)}/_control/orders?limit=100000")
    items: list[dict[str, Any]] = answer.json()["items"]
    return [(i["amount"], i["amountRefunded"]) for i in items if i["orderId"] == order_id and i["capture"]]


def test_approved_at_paypal_is_paid_ticketed_mailed_and_refunded(
    laptop: Laptop, show: Show, buyer: Client
) -> None:
    order_id = paypal_order(buyer, show, quantity=2)
    due = order(buyer, order_id)
    assert show.organizer.get(f"/api/payments/orders/{order_id}").expect(200).get("approvalUrl") is None

    page = urllib3.request("GET", due["approvalUrl"])
    assert (page.status, due["orderNumber"] in page.data.decode()) == (200, True)
    decision = {"token": payment_of(buyer, order_id), "funding": "balance", "decision": "approve"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    back = urllib3.request(
        "POST", due["approvalUrl"].split("?")[0], body=urlencode(decision), headers=form, redirect=False
    )
    assert back.status == 303
    assert urlsplit(back.headers["Location"]).path.endswith(f"/orders/{order_id}")

    paid = settled(buyer, order_id, "PAID")
    assert (len(paid["tickets"]), paid.get("approvalUrl")) == (2, None)
    assert captured(laptop, order_id) == [(9900, 0)]
    eventually(lambda: order(buyer, order_id)["mailStatus"] == "SENT")
    mails = [mail for mail in buyer.mails_to(str(buyer.email)) if due["orderNumber"] in mail["subject"]]
    assert len(mails) == 1

    refund = {"orderId": order_id, "ticketIds": [paid["tickets"][0]["id"]], "reason": "A broken leg"}
    show.organizer.post("/api/payments/refund", refund, key=str(uuid4())).expect(202)
    settled(buyer, order_id, "PARTIALLY_REFUNDED")
    rest = {"orderId": order_id, "reason": "And the other one"}
    show.organizer.post("/api/payments/refund", rest, key=str(uuid4())).expect(202)
    settled(buyer, order_id, "REFUNDED")
    assert captured(laptop, order_id) == [(9900, 9900)]
    assert_balanced(laptop)


def test_a_declined_card_is_changed_for_paypal(laptop: Laptop, show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show, "pm_card_chargeDeclined")
    settled(buyer, order_id, "PAYMENT_FAILED")

    change_to_paypal(buyer, order_id)
    approve(buyer, payment_of(buyer, order_id))

    assert len(settled(buyer, order_id, "PAID")["tickets"]) == 1
    assert captured(laptop, order_id) == [(4950, 0)]
    assert pay_again(buyer, order_id, "pm_card_visa").status == 409


def test_paypal_is_changed_for_a_card_and_an_approval_after_that_takes_no_money(
    laptop: Laptop, show: Show, buyer: Client
) -> None:
    order_id = paypal_order(buyer, show)
    left = payment_of(buyer, order_id)
    pay_again(buyer, order_id, "pm_card_visa").expect(202)
    settled(buyer, order_id, "PAID")

    approve(buyer, left)

    eventually(lambda: _heard(laptop, left))
    assert order(buyer, order_id)["paymentStatus"] == "PAID"
    assert captured(laptop, order_id) == []
    assert_balanced(laptop)


def test_what_paypal_refuses_to_charge_is_chosen_anew(laptop: Laptop, show: Show, buyer: Client) -> None:
    order_id = paypal_order(buyer, show)
    payment_id = payment_of(buyer, order_id)
    approve(buyer, payment_id, "declined")
    eventually(lambda: (order(buyer, order_id).get("failure") or {}).get("code") == "instrument_declined")
    assert payment_of(buyer, order_id) == payment_id

    approve(buyer, payment_id)

    settled(buyer, order_id, "PAID")
    assert captured(laptop, order_id) == [(4950, 0)]


def test_an_order_not_approved_in_time_is_cancelled_and_a_late_approval_takes_no_money(
    hurried_laptop: Laptop,
) -> None:
    show = publish(hurried_laptop.client.newcomer("ORGANIZER", "Hester"), quantityAvailable=1)
    buyer = hurried_laptop.client.newcomer(first_name="Later")
    order_id = paypal_order(buyer, show)
    payment_id = payment_of(buyer, order_id)

    settled(buyer, order_id, "CANCELLED")
    eventually(lambda: available(show) == 1)
    approve(buyer, payment_id)

    eventually(lambda: _heard(hurried_laptop, payment_id))
    assert order(buyer, order_id)["paymentStatus"] == "CANCELLED"
    assert captured(hurried_laptop, order_id) == []
    assert_balanced(hurried_laptop)


@pytest.mark.parametrize("mode", ["error", "timeout", "kill_after"])
def test_trouble_while_capturing_takes_the_money_once(
    laptop: Laptop, show: Show, buyer: Client, mode: str
) -> None:
    order_id = paypal_order(buyer, show)
    payment_id = payment_of(buyer, order_id)
    plan = [{"mode": mode, "operation": "orders.capture", "times": 1}]
    assert urllib3.request("PUT", f"{simulator(laptop)}/_control/faults", json=plan).status == 200

    approve(buyer, payment_id)

    settled(buyer, order_id, "PAID", seconds=60)
    assert captured(laptop, order_id) == [(4950, 0)]


def test_whoever_is_told_that_paypal_is_out_of_reach_may_choose_again(
    laptop: Laptop, show: Show, buyer: Client
) -> None:
    buyer.put("/_local/faults", [{"target": "paypal", "mode": "error", "times": None}]).expect(200)
    try:
        order_id = order_of(buyer, show, "pm_card_chargeDeclined")
        settled(buyer, order_id, "PAYMENT_FAILED")
        body = {"orderId": order_id, "paymentMethod": PAYPAL}
        buyer.post("/api/payments/process", body, key=str(uuid4())).expect(202)
        failed = settled(buyer, order_id, "PAYMENT_FAILED", seconds=60)
        assert failed["failure"]["code"] == "provider_unavailable"
    finally:
        buyer.delete("/_local/faults")
        eventually(lambda: _is_offered(buyer), 90)  # its circuit is open for half a minute

    pay_again(buyer, order_id, "pm_card_visa").expect(202)

    settled(buyer, order_id, "PAID", seconds=60)
    assert captured(laptop, order_id) == []


def test_a_forged_webhook_is_refused(show: Show, buyer: Client) -> None:
    order_id = paypal_order(buyer, show)
    resource = {"id": payment_of(buyer, order_id), "status": "APPROVED"}
    event = {"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": resource}

    for headers in ({}, FORGED):
        answer = buyer.send("POST", "/api/payments/webhooks/paypal", json.dumps(event).encode(), headers)
        assert (answer.status, answer.code) == (400, "INVALID_SIGNATURE")

    assert order(buyer, order_id)["paymentStatus"] == "REQUIRES_ACTION"


def test_a_disputed_payment_voids_the_tickets(show: Show, buyer: Client) -> None:
    order_id = paypal_order(buyer, show)
    approve(buyer, payment_of(buyer, order_id), "dispute")

    disputed = settled(buyer, order_id, "DISPUTED")

    def is_void() -> bool:
        return {ticket["status"] for ticket in order(buyer, order_id)["tickets"]} == {"VOID"}

    assert disputed
    eventually(is_void)


def _is_offered(buyer: Client) -> bool:
    methods = buyer.get("/api/payments/methods").expect(200)["items"]
    return any(method["type"] == "paypal" and method["available"] for method in methods)


def _heard(laptop: Laptop, payment_id: str) -> bool:
    """Whether the webhook that tells of the approval has had its effect."""
    with database(laptop, "payments") as ask:
        heard = ask(
            "SELECT handled_at FROM webhook_events WHERE type = 'CHECKOUT.ORDER.APPROVED'"
            f" AND intent_id = '{payment_id}' AND handled_at IS NOT NULL"
        )
    return bool(heard)
