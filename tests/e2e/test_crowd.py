"""Many at once: the last tickets are sold once, and everybody gets an honest answer."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.books import assert_balanced
from tests.e2e.box_office import available, publish, purchase, reserve, settled
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop


def test_twelve_buyers_and_five_tickets(laptop: Laptop) -> None:
    show = publish(laptop.client.newcomer("ORGANIZER", "Crowd"), quantityAvailable=5)
    with ThreadPoolExecutor(12) as pool:
        buyers = list(pool.map(lambda n: laptop.client.newcomer(first_name=f"Buyer{n}"), range(12)))

        def buy(buyer: Client) -> str:
            held = reserve(buyer, show)
            while held.status == 429:
                held = reserve(buyer, show)
            if held.status != 201:
                return str(held.code)
            order_id = purchase(buyer, held.body["reservationId"]).expect(202)["orderId"]
            return str(settled(buyer, order_id)["paymentStatus"])

        outcomes = Counter(pool.map(buy, buyers))

    assert outcomes == {"PAID": 5, "SOLD_OUT": 7}
    assert available(show) == 0
    assert_balanced(laptop)


def test_a_person_may_not_take_more_than_the_limit_from_many_windows(laptop: Laptop) -> None:
    show = publish(laptop.client.newcomer("ORGANIZER", "Limit"), perPersonLimit=4)
    buyer = laptop.client.newcomer(first_name="Greedy")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: reserve(buyer, show), range(8)))

    assert Counter(answer.code for answer in answers) == {
        None: 4,
        "PER_PERSON_LIMIT": 4,
    }
