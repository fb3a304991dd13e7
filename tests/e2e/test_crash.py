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
    laptop = Laptop(assembly=assembly)
    try:
        yield laptop.start()
    finally:
        laptop.remove()


def mails_about(buyer: Client, order_number: str) -> list[str]:
    mails = buyer.mails_to(str(buyer.email))
    return [
        mail["subject"]
        for mail in mails
        if order_number in mail["text"] and "tickets" in mail["subject"].lower()
    ]


def test_purchases_under_way_go_on_after_kill_9(another: Laptop) -> None:
    show = publish(another.client.newcomer("ORGANIZER", "Kim"), quantityAvailable=20)
    waiting, declined, *crowd = (another.client.newcomer(first_name=f"Crash{n}") for n in range(8))
    at_the_bank = order_of(waiting, show, "pm_card_authenticationRequired")
    secret = settled(waiting, at_the_bank, "REQUIRES_ACTION")["clientSecret"]
    refused = order_of(declined, show, "pm_card_chargeDeclined")
    settled(declined, refused, "PAYMENT_FAILED")
    held = [reserve(buyer, show).expect(201)["reservationId"] for buyer in crowd]
    with ThreadPoolExecutor(6) as pool:
        accepted = list(
            pool.map(lambda pair: purchase(*pair).expect(202)["orderId"], zip(crowd, held, strict=True))
        )

    another.stop(signal.SIGKILL)
    another.start()

    paid = [
        settled(buyer, order_id, "PAID", seconds=60) for buyer, order_id in zip(crowd, accepted, strict=True)
    ]
    intent = secret.split("_secret_")[0]
    waiting.post(f"/_local/payments/{intent}/authenticate", {"outcome": "succeed"}).expect(200)
    paid.append(settled(waiting, at_the_bank, "PAID", seconds=60))
    pay_again(declined, refused, "pm_card_visa").expect(202)
    paid.append(settled(declined, refused, "PAID", seconds=60))

    assert Counter(len(order["tickets"]) for order in paid) == {1: 8}
    assert available(show) == 20 - 8
    for buyer, order in zip([*crowd, waiting, declined], paid, strict=True):
        assert eventually(partial(mails_about, buyer, order["orderNumber"]), 60)
    assert_balanced(another)
