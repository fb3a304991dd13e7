"""Killed without warning and started again: what was under way goes on, once."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.box_office import available, order_of, pay_again, publish, settled
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture
def fragile(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud of the test's own, running."""
    laptop = Laptop(assembly=assembly)
    try:
        yield laptop.start()
    finally:
        laptop.remove()


def confirmations(buyer: Client) -> list[str]:
    """The subjects of the mails that came with tickets."""
    assert buyer.email is not None
    return [mail["subject"] for mail in buyer.mails_to(buyer.email) if mail["attachments"]]


def test_purchases_under_way_go_on_after_kill(fragile: Laptop) -> None:
    show = publish(fragile.client.newcomer("ORGANIZER", "Otto"))
    buyer = fragile.client.newcomer()
    before = available(show)
    waiting = order_of(buyer, show, "pm_card_authenticationRequired")
    intent = settled(buyer, waiting, "REQUIRES_ACTION")["clientSecret"].split("_secret_")[0]
    declined = order_of(buyer, show, "pm_card_chargeDeclined")
    settled(buyer, declined, "PAYMENT_FAILED")
    accepted = order_of(buyer, show)

    fragile.stop(signal.SIGKILL)
    fragile.start()

    assert len(settled(buyer, accepted, "PAID")["tickets"]) == 1
    assert settled(buyer, waiting)["paymentStatus"] == "REQUIRES_ACTION"
    buyer.post(f"/_local/payments/{intent}/authenticate", {"outcome": "succeed"}).expect(200)
    assert len(settled(buyer, waiting, "PAID")["tickets"]) == 1
    pay_again(buyer, declined, "pm_card_visa").expect(202)
    assert len(settled(buyer, declined, "PAID")["tickets"]) == 1
    eventually(lambda: len(confirmations(buyer)) >= 3)
    time.sleep(2)  # a second mail for the same order would come now
    assert len(confirmations(buyer)) == 3
    assert available(show) == before - 3


def test_mail_that_was_not_sent_yet_is_sent_after_kill(fragile: Laptop) -> None:
    show = publish(fragile.client.newcomer("ORGANIZER", "Otto"))
    buyer = fragile.client.newcomer()
    buyer.put("/_local/faults", [{"target": "ses", "mode": "error", "times": 1000}]).expect(200)
    settled(buyer, order_of(buyer, show), "PAID")
    assert confirmations(buyer) == []

    fragile.stop(signal.SIGKILL)
    fragile.start()

    eventually(lambda: len(confirmations(buyer)) == 1)


def test_what_was_paid_stays_paid(fragile: Laptop) -> None:
    show = publish(fragile.client.newcomer("ORGANIZER", "Otto"))
    buyer = fragile.client.newcomer()
    order_id = order_of(buyer, show)
    paid = settled(buyer, order_id, "PAID")
    eventually(lambda: len(confirmations(buyer)) == 1)

    fragile.stop(signal.SIGKILL)
    fragile.start()
    time.sleep(2)  # messages are published again, and change nothing

    assert settled(buyer, order_id)["tickets"] == paid["tickets"]
    assert len(confirmations(buyer)) == 1
