"""An event with orders of every kind is cancelled: each ends right, and its holder is told."""

from collections.abc import Sequence
from functools import partial

import pytest

from tests.e2e.books import assert_balanced
from tests.e2e.box_office import Show, order, order_of, publish, purchase, reserve, settled, ticket_type
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop

REASON = "The roof <b>leaks</b>"


def cancel(show: Show) -> None:
    show.organizer.post(f"/api/events/{show.event_id}/cancel", {"reason": REASON}).expect(202)


def mails(buyer: Client, words: str) -> list[dict[str, str]]:
    return [mail for mail in buyer.mails_to(str(buyer.email)) if words in mail["subject"]]


def free_order(buyer: Client, show: Show) -> str:
    """A ticket of a second type of the same event, which costs nothing."""
    kind = show.organizer.post("/api/tickets/types", ticket_type(show.event_id, price="0.00")).expect(201)
    held = reserve(buyer, Show(show.event_id, kind["id"], show.organizer)).expect(201)
    body = {"reservationId": held["reservationId"], "paymentMethod": {"type": "free"}}
    return str(buyer.post("/api/tickets/purchase", body, key="free").expect(202)["orderId"])


def is_over_after_a_while(laptop: Laptop, orders: Sequence[tuple[Client, str]]) -> bool:
    """Whether every order has ended, once the time is over for which abandoned messages are invisible."""
    laptop.client.post("/_local/queues/release?abandoned").expect(200)
    return all(order(*each)["paymentStatus"] in ("REFUNDED", "CANCELLED") for each in orders)


@pytest.mark.parametrize("fault", [None, "kill_before", "kill_after"])
def test_every_order_ends_right(laptop: Laptop, fault: str | None) -> None:
    show = publish(laptop.client.newcomer("ORGANIZER", "Carla"))
    names = ("Paid", "Partly", "Free", "Pending", "Holder")
    paid, partly, free, pending, holder = (laptop.client.newcomer(first_name=name) for name in names)
    whole = order_of(paid, show, quantity=2)
    part = order_of(partly, show, quantity=2)
    gratis = free_order(free, show)
    waiting = order_of(pending, show, "pm_card_authenticationRequired")
    tickets = settled(partly, part, "PAID")["tickets"]
    for buyer, order_id in ((paid, whole), (free, gratis)):
        settled(buyer, order_id, "PAID")
    settled(pending, waiting, "REQUIRES_ACTION")
    refund = {"orderId": part, "ticketIds": [tickets[0]["id"]], "reason": "A friend is ill"}
    show.organizer.post("/api/payments/refund", refund, key=part).expect(202)
    settled(partly, part, "PARTIALLY_REFUNDED")
    held = reserve(holder, show).expect(201)
    if fault is not None:
        targets = ("tickets-consumer-voids", "payments-consumer-tickets")
        faults = [{"target": name, "mode": fault} for name in targets]
        laptop.client.put("/_local/faults", faults).expect(200)

    cancel(show)

    seconds = 60
    if fault is not None:  # what a killed consumer had comes again after its visibility, twice here
        orders = ((paid, whole), (partly, part), (free, gratis), (pending, waiting))
        eventually(lambda: is_over_after_a_while(laptop, orders), 180)
    assert settled(paid, whole, "REFUNDED", seconds=seconds)["refundedAmount"] == "99.00"
    assert settled(partly, part, "REFUNDED", seconds=seconds)["refundedAmount"] == "99.00"
    settled(free, gratis, "CANCELLED", seconds=seconds)
    settled(pending, waiting, "CANCELLED", seconds=seconds)
    for buyer, order_id in ((paid, whole), (partly, part), (free, gratis)):
        assert {ticket["status"] for ticket in order(buyer, order_id)["tickets"]} == {"VOID"}
        [mail] = eventually(partial(mails, buyer, "was cancelled"), seconds)
        assert REASON in mail["text"]
        assert "<b>leaks</b>" not in mail["html"]
    assert purchase(holder, held["reservationId"]).status == 409
    eventually(lambda: mails(pending, "was cancelled"), seconds)
    eventually(lambda: mails(paid, "Refund"), seconds)
    assert laptop.client.get("/_local/faults").expect(200) == [], "every fault has happened"
    assert_balanced(laptop)
