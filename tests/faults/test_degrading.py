"""What all stands on goes away under load: honest answers, nothing accepted is lost, and it comes back by itself."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.books import assert_balanced, database
from tests.e2e.box_office import Show, available, order_of, pay_again, publish, settled
from tests.e2e.client import Answer, Client, eventually
from tests.e2e.laptop import Laptop
from tests.faults import servers
from tests.faults.storm.buyers import Buyers
from tests.faults.storm.ledger import Ledger
from tests.faults.storm.plan import Errand, draw
from tests.faults.storm.rest import Aftermath

SETTINGS = (
    "provider_timeout_seconds=1 provider_retries=0 attempt_patience_seconds=2 resend_after_seconds=10 "
    "saga_check_seconds=10 mail_circuit_seconds=5"
)
BUYERS, ORDERS = 8, 40


@pytest.fixture(scope="module")
def own_laptop(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud whose servers a test may take away."""
    with Laptop(settings=SETTINGS, assembly=assembly) as running:
        yield running


@pytest.fixture(scope="module")
def show(own_laptop: Laptop) -> Show:
    return publish(
        own_laptop.client.newcomer("ORGANIZER", "Ditte"), quantityAvailable=1000, perPersonLimit=100
    )


def errand(number: int) -> Errand:
    """One ticket by card, without detours."""
    plain = replace(draw(1, 1).errands[0], show="big", journey="card", quantity=1, clicks=1, refund=None)
    return replace(plain, number=number, buyer=number % BUYERS)


@pytest.mark.timeout(600)
def test_postgresql_fails_over_under_load(own_laptop: Laptop, show: Show) -> None:
    people = [own_laptop.client.newcomer(first_name=f"Load{number}") for number in range(BUYERS)]
    ledger = Ledger()  # no function is killed here: a 502 is ours
    buyers = Buyers(people, {"big": show}, ledger, seed=1)
    bought = threading.Semaphore(0)

    def shop(number: int) -> None:
        buyers.run(errand(number))
        bought.release()

    with ThreadPoolExecutor(BUYERS) as crowd:
        walks = crowd.map(shop, range(ORDERS))
        for with_signal in (signal.SIGINT, signal.SIGKILL):  # it cuts all sessions and ends; it dies
            for _ in range(ORDERS // 4):
                bought.acquire()
            servers.fail_over(own_laptop, servers.POSTGRES, with_signal)
        list(walks)

    assert ledger.dishonest == Counter()
    assert len(ledger.accepted) + ledger.unknown <= ORDERS
    assert len(ledger.accepted) > ORDERS * 3 / 4
    ended = [_end(own_laptop, order_id) for order_id in ledger.accepted]
    # Where a step's three tries all fell into the outage, the purchase was compensated, as it is for any trouble.
    assert set(ended) <= {"PAID", "CANCELLED", "PAYMENT_FAILED", "REFUNDED"}
    assert ended.count("PAID") > ORDERS / 4
    come_to_rest(own_laptop)
    assert_balanced(own_laptop)
    settled(people[0], order_of(people[0], show), "PAID")


@pytest.mark.timeout(300)
def test_while_the_payment_gateway_does_not_answer_seats_are_kept_and_answers_are_honest(
    own_laptop: Laptop, show: Show
) -> None:
    buyer = own_laptop.client.newcomer(first_name="Gate")
    before = available(show)
    with servers.hanging(own_laptop, "stripe"):
        orders = [order_of(buyer, show) for _ in range(3)]
        for order_id in orders:
            failed = settled(buyer, order_id, "PAYMENT_FAILED", seconds=90)
            assert failed["failure"]["code"] == "provider_unavailable"
            assert failed["payBy"]
        eventually(lambda: not offered(buyer, "stripe"))
        refused = pay_again(buyer, orders[0], "pm_card_visa")
        assert refused.status in (503, 202), "202 is the one that asks whether it is back"
        refused = eventually(lambda: refusal(buyer, orders[1]), 60)
        assert refused.code == "SERVICE_UNAVAILABLE"
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        assert settled(buyer, orders[1], "PAYMENT_FAILED")["failure"]["code"] == "provider_unavailable"
        assert available(show) == before - 3
    for order_id in orders:
        eventually(lambda: is_bought(buyer, order_id), 120)  # noqa: B023  # called here and now
    assert offered(buyer, "stripe")
    assert available(show) == before - 3
    come_to_rest(own_laptop)
    assert_balanced(own_laptop)


@pytest.mark.timeout(300)
def test_while_no_mail_provider_works_mails_wait_and_then_each_goes_out_once(
    own_laptop: Laptop, show: Show
) -> None:
    buyer = own_laptop.client.newcomer(first_name="Post")
    down = [{"target": name, "mode": "error", "times": None} for name in ("ses", "sendgrid")]
    buyer.put("/_local/faults", down).expect(200)
    try:
        orders = [settled(buyer, order_of(buyer, show), "PAID") for _ in range(4)]
        log = own_laptop.state / "logs" / "box-office-dev-notifications-consumer-mail.log"
        eventually(lambda: "circuit opened" in log.read_text(errors="replace"))
        assert not confirmations(buyer)
    finally:
        buyer.delete("/_local/faults")

    eventually(lambda: len(confirmations(buyer)) == len(orders), 120)

    assert_balanced(own_laptop)
    assert Counter(confirmations(buyer)) == Counter(order["orderNumber"] for order in orders)


def come_to_rest(laptop: Laptop) -> None:
    """Let the sweeps' minutes pass, until nothing is left but orders that wait for their buyers."""
    aftermath, waits = (
        Aftermath(laptop),
        {"holds", "purchases not ended", "orders not decided", "running executions"},
    )

    def rests() -> bool:
        if aftermath.left().keys() <= waits:
            return True
        aftermath.pass_time()
        return False

    eventually(rests, 150)


def offered(buyer: Client, method: str) -> bool:
    """Whether the API says that one can pay this way now."""
    items = buyer.get("/api/payments/methods").expect(200)["items"]
    return bool(next(item["available"] for item in items if item["type"] == method))


def refusal(buyer: Client, order_id: str) -> Answer | None:
    """The answer to another attempt, once it is refused."""
    settled(buyer, order_id, "PAYMENT_FAILED")
    answer = pay_again(buyer, order_id, "pm_card_visa")
    return answer if answer.status == 503 else None


def is_bought(buyer: Client, order_id: str) -> bool:
    """Whether the order is paid, by what the gateway did while nobody heard of it, or by another attempt made now."""
    order = settled(buyer, order_id, "PAID", "PAYMENT_FAILED")
    if order["paymentStatus"] == "PAYMENT_FAILED":
        assert pay_again(buyer, order_id, "pm_card_visa").status in (202, 409, 503)
    return bool(order["paymentStatus"] == "PAID")


def confirmations(buyer: Client) -> list[str]:
    """The numbers of the orders that a mail with tickets has come for, one for each mail."""
    mails = [mail["subject"] for mail in buyer.mails_to(str(buyer.email)) if mail["attachments"]]
    return [subject.rsplit("(order ", 1)[1].rstrip(")") for subject in mails]


def _end(laptop: Laptop, order_id: str) -> str:
    """How the order stands once nothing is under way for it."""
    seen: list[object] = []

    def ask() -> str | None:
        with database(laptop, "payments") as rows:
            found = rows(f"SELECT payment_status FROM orders WHERE id = '{order_id}'")
        with database(laptop, "tickets") as rows:
            status = rows(f"SELECT status FROM purchases WHERE order_id = '{order_id}'")[0]["status"]
        seen[:] = [status, *found]
        if not found:
            return "CANCELLED" if status == "RELEASED" else None
        paid = str(found[0]["payment_status"])
        return None if paid == "PENDING" or (paid == "PAID" and status != "ISSUED") else paid

    try:
        return eventually(ask, 150)
    except AssertionError:
        raise AssertionError(f"order {order_id} does not end: {seen}") from None
