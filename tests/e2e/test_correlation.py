"""One search finds all log lines of a purchase: those of its request, its saga, its messages and its mail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.box_office import publish, purchase, reserve, settled
from tests.e2e.client import eventually
from tests.e2e.laptop import Laptop

FUNCTIONS = {
    "tickets-purchase",
    "tickets-saga-reserve",
    "payments-saga-charge",
    "tickets-saga-issue",
    "tickets-saga-notify",
    "payments-consumer-tickets",
    "notifications-consumer-mail",
    "payments-consumer-mail",
    "events-consumer-tickets",
}


def lines(logs: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every structured line with the name of its function."""
    for file in logs.rglob("box-office-dev-*.log"):
        for text in file.read_text().splitlines():
            if text.startswith('{"level"'):
                yield file.stem.removeprefix("box-office-dev-"), json.loads(text)


def test_the_lines_of_one_purchase_share_the_id_of_its_request(laptop: Laptop) -> None:
    show, buyer = publish(laptop.client.newcomer("ORGANIZER", "Oda")), laptop.client.newcomer(first_name="Bo")
    answer = purchase(buyer, reserve(buyer, show).expect(201)["reservationId"])
    order_id, begun = answer.expect(202)["orderId"], answer.headers["X-Request-Id"]
    settled(buyer, order_id, "PAID")

    def functions() -> set[str]:
        return {name for name, line in lines(laptop.state / "logs") if line.get("correlation_id") == begun}

    eventually(lambda: functions() >= FUNCTIONS)
    about_it = [line for _, line in lines(laptop.state / "logs") if line.get("correlation_id") == begun]
    assert {line["order_id"] for line in about_it if line.get("order_id")} == {order_id}, "and of no other"
