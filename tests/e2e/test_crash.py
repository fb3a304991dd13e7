"""The machine loses power: what was under way goes on at the next start, and nothing happens twice."""

import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.books import assert_balanced
from tests.e2e.box_office import available, order_of, pay_again, publish, purchase, reserve, settled
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture
def another(assembly: Path) -> Iterator[Laptop]:
    with Laptop(assembly=assembly) as running:
        yield running


def confirmations(buyer: Client, order_number: str) -> list[str]:
    """The subjects of the mails that brought the order's tickets."""
    mails = buyer.mails_to(str(buyer.email))
    return [mail["subject"] for mail in mails if order_number in mail["text"] and mail["attachments"]]


def test_purchases_under_way_go_on_after_kill_9(another: Laptop) -> None:
    show = publish(another.client.newcomer("ORGANIZER", "Kim"), quantityAvailable=20)
    early, unmailed, waiting, declined, *crowd = (
        another.client.newcomer(first_name=f"Crash{n}") for n in range(10)
    )
    bought = settled(early, order_of(early, show), "PAID")
    assert eventually(partial(confirmations, early, bought["orderNumber"]), 60)
    at_the_bank = order_of(waiting, show, "pm_card_authenticationRequired")
    secret = settled(waiting, at_the_bank, "REQUIRES_ACTION")["clientSecret"]
    refused = order_of(declined, show, "pm_card_chargeDeclined")
    settled(declined, refused, "PAYMENT_FAILED")
    down = [{"target": provider, "mode": "error", "times": 1000} for provider in ("ses", "sendgrid")]
    unmailed.put("/_local/faults", down).expect(200)
    without_mail = settled(unmailed, order_of(unmailed, show), "PAID")
    held = [reserve(buyer, show).expect(201)["reservationId"] for buyer in crowd]
    with ThreadPoolExecutor(6) as pool:
        accepted = list(
            pool.map(lambda pair: purchase(*pair).expect(202)["orderId"], zip(crowd, held, strict=True))
        )
    assert confirmations(unmailed, without_mail["orderNumber"]) == []

    another.stop(signal.SIGKILL)
    another.start()

    paid = [
        settled(buyer, order_id, "PAID", seconds=60) for buyer, order_id in zip(crowd, accepted, strict=True)
    ]
    assert settled(waiting, at_the_bank)["paymentStatus"] == "REQUIRES_ACTION"
    intent = secret.split("_secret_")[0]
    waiting.post(f"/_local/payments/{intent}/authenticate", {"outcome": "succeed"}).expect(200)
    paid.append(settled(waiting, at_the_bank, "PAID", seconds=60))
    pay_again(declined, refused, "pm_card_visa").expect(202)
    paid.append(settled(declined, refused, "PAID", seconds=60))
    assert settled(early, bought["orderId"])["tickets"] == bought["tickets"]

    buyers = [*crowd, waiting, declined, early, unmailed]
    orders = [*paid, bought, without_mail]
    assert Counter(len(order["tickets"]) for order in orders) == {1: 10}
    assert available(show) == 20 - 10
    for buyer, order in zip(buyers, orders, strict=True):
        assert eventually(partial(confirmations, buyer, order["orderNumber"]), 60)
    assert_balanced(another)
    for buyer, order in zip(
        buyers, orders, strict=True
    ):  # messages were published again, and changed nothing
        assert len(confirmations(buyer, order["orderNumber"])) == 1
