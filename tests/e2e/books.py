"""The books, read straight from the databases of a laptop cloud that is at rest: every breach found, in words."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.extras

from tests.e2e.laptop import Laptop

Row = dict[str, Any]

COUNTERS = """
    SELECT t.id AS breach, quantity_sold, quantity_held, sold, held
      FROM ticket_types t
      CROSS JOIN LATERAL (
        SELECT count(*) AS sold FROM tickets WHERE ticket_type_id = t.id AND status <> 'VOID') AS s
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS held FROM ticket_reservations
         WHERE ticket_type_id = t.id AND status IN ('HELD', 'BOUND')) AS h
     WHERE quantity_sold <> sold OR quantity_held <> held OR sold + held > quantity_available
"""
LIMITS = """
    SELECT b.user_id AS breach, b.taken, counted
      FROM ticket_type_buyers b
      CROSS JOIN LATERAL (
        SELECT (SELECT coalesce(sum(quantity), 0) FROM ticket_reservations r
                 WHERE r.ticket_type_id = b.ticket_type_id AND r.user_id = b.user_id AND status IN ('HELD', 'BOUND'))
             + (SELECT count(*) FROM tickets k
                 WHERE k.ticket_type_id = b.ticket_type_id AND k.user_id = b.user_id
                   AND status <> 'VOID') AS counted) AS c
     WHERE b.taken <> counted
"""
PAID = "SELECT id, captured_amount, refunded_amount, payment_status FROM orders"
ACTIVE = "SELECT order_id, count(*) AS tickets FROM tickets WHERE status <> 'VOID' GROUP BY order_id"
FOLD = """
    SELECT o.id AS breach FROM orders o
     WHERE version <> (SELECT max(version) FROM order_events WHERE order_id = o.id)
        OR version <> (SELECT count(*) FROM order_events WHERE order_id = o.id)
"""
MAILS = """
    SELECT order_id, count(*) AS mails FROM notifications WHERE mail_key LIKE 'order-confirmation:%' AND status = 'SENT'
     GROUP BY order_id
"""


def breaches(laptop: Laptop) -> list[str]:
    """Every sentence that should not be true."""
    with database(laptop, "tickets") as tickets:
        found = [f"counters: {row}" for row in tickets(COUNTERS)] + [
            f"limits: {row}" for row in tickets(LIMITS)
        ]
        active = {row["order_id"]: row["tickets"] for row in tickets(ACTIVE)}
    with database(laptop, "payments") as payments:
        orders = payments(PAID)
        found += [f"history: {row}" for row in payments(FOLD)]
    with database(laptop, "notifications") as notifications:
        mails = {row["order_id"]: row["mails"] for row in notifications(MAILS)}
    for order in orders:
        with_tickets = order["payment_status"] in ("PAID", "PARTIALLY_REFUNDED")
        if with_tickets != (order["id"] in active):
            found.append(f"tickets: {order} has {active.get(order['id'], 0)}")
        if with_tickets and mails.get(order["id"]) != 1:
            found.append(f"mails: {order} has {mails.get(order['id'], 0)} confirmations")
    return found + _differences(orders, _at_the_gateway(laptop))


def assert_balanced(laptop: Laptop) -> None:
    """No breach, once what is on its way has arrived."""
    deadline = time.monotonic() + 30
    while (found := breaches(laptop)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert found == []


def _differences(orders: list[Row], gateway: dict[str, float]) -> list[str]:
    kept = {str(order["id"]): float(order["captured_amount"] - order["refunded_amount"]) for order in orders}
    return [
        f"money: order {order_id} says {kept.get(order_id, 0)}, the gateway {gateway.get(order_id, 0)}"
        for order_id in kept.keys() | gateway.keys()
        if kept.get(order_id, 0) != gateway.get(order_id, 0)
    ]


def _at_the_gateway(laptop: Laptop) -> dict[str, float]:
    """What is left of each order's money (some was refunded, some lost in a dispute), by the gateways' own stores."""
    ports = json.loads((laptop.state / "ports.json").read_text())
    left: dict[str, float] = {}
    for gateway, things, taken in (
        ("stripe", "payment_intents", "succeeded"),
        ("paypal", "orders", "COMPLETED"),
    ):
        url = f"http://127.0.0.1:{ports[gateway]}/_control/{things}?limit=100000"
        with urllib.request.urlopen(url, timeout=10) as answer:
            payments = json.load(answer)["items"]
        for paid in payments:
            if paid["status"] == taken and paid.get("capture", "COMPLETED") not in ("PENDING", "DECLINED"):
                money = (paid["amount"] - paid["amountRefunded"] - paid["amountLost"]) / 100
                left[paid["orderId"]] = left.get(paid["orderId"], 0) + money
    return left


@contextmanager
def database(laptop: Laptop, service: str) -> Iterator[Any]:
    """Statements in the database of a service, as its superuser."""
    ports = json.loads((laptop.state / "ports.json").read_text())
    connection = psycopg2.connect(host="127.0.0.1", port=ports["postgres"], dbname=service, user="postgres")

    def ask(statement: str) -> list[Row]:
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement)
            connection.commit()
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    try:
        yield ask
    finally:
        connection.close()
