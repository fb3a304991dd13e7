"""How an order's payment stands, in the list of a buyer's orders: payments' word, kept here."""

import random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.tickets.consumers import orders as consumer
from functions.tickets.jobs import rebuild_orders
from functions.tickets.routes import list_orders
from shared.clock import iso, now
from shared.identity import User
from tests.cloud import Cloud
from tests.support import a_user, call, context
from tests.ticket_sales import Sales


def message(order_id: str, version: int, status: str, refunded: str = "0.00") -> dict[str, Any]:
    data = {
        "orderId": order_id,
        "orderNumber": "BO-1",
        "userId": str(uuid4()),
        "eventId": str(uuid4()),
        "paymentStatus": status,
        "totalAmount": "99.00",
        "capturedAmount": "99.00",
        "refundedAmount": refunded,
        "currency": "EUR",
        "items": [],
        "refunds": [],
        "createdAt": iso(now()),
    }
    return {
        "id": str(uuid4()),
        "type": "payments.order_changed.v1",
        "subject": order_id,
        "sequence": version,
        "time": iso(now()),
        "data": data,
    }


def hear(aws: Cloud, *messages: dict[str, Any]) -> None:
    records = [aws.record("tickets-orders", envelope) for envelope in messages]
    assert consumer.handler({"Records": records}, context()) == {"batchItemFailures": []}


def shown(buyer: User) -> tuple[str, str]:
    path = f"/api/tickets/orders/{buyer.id}"
    [item] = call(list_orders.handler, "GET", path, user=buyer).body["items"]
    return item["paymentStatus"], item["refundedAmount"]


def test_an_order_shows_how_its_payment_stands(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    order_id = sales.order(buyer, event_id, {sales.type(event_id): 2})
    assert shown(buyer) == ("PENDING", "0.00")

    hear(aws, message(order_id, 2, "PAYMENT_FAILED"))
    assert shown(buyer) == ("PAYMENT_FAILED", "0.00")

    sales.issue(order_id)
    assert shown(buyer) == ("PAID", "0.00"), "there are no tickets that are not paid for"

    hear(aws, message(order_id, 5, "PARTIALLY_REFUNDED", "49.50"), message(order_id, 4, "PAID"))
    assert shown(buyer) == ("PARTIALLY_REFUNDED", "49.50")


def test_an_order_whose_seats_went_back_is_cancelled_before_payments_says_so(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    sales.release(sales.order(buyer, event_id, {sales.type(event_id): 1}))
    assert shown(buyer) == ("CANCELLED", "0.00")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(st.integers(1, 6), min_size=1, max_size=12), seed=st.integers(0, 2**32))
def test_the_newest_message_counts_whatever_the_order_and_a_rebuild_agrees(
    sales: Sales, aws: Cloud, versions: list[int], seed: int
) -> None:
    order_id = str(uuid4())
    messages = [message(order_id, version, "PARTIALLY_REFUNDED", f"{version}.00") for version in versions]
    messages += random.Random(seed).sample(messages, k=len(messages) // 2)
    random.Random(seed).shuffle(messages)

    hear(aws, *messages)

    select = "SELECT * FROM order_payments WHERE order_id = %(id)s"
    live = sales.db.one(select, id=order_id)
    assert live is not None
    assert (live["version"], live["refunded_amount"]) == (max(versions), max(versions))
    sales.db.run(
        "UPDATE order_payments SET version = 99, refunded_amount = 0 WHERE order_id = %(id)s", id=order_id
    )
    rebuild_orders.handler({}, context())
    rebuilt = sales.db.one(select, id=order_id)
    assert rebuilt is not None
    assert rebuilt | {"occurred_at": None} == live | {"occurred_at": None}


def test_a_rebuild_takes_the_orders_page_by_page_and_drops_what_nobody_told(
    sales: Sales, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.tickets.order_payments.PAGE", 2)
    ids = [str(uuid4()) for _ in range(5)]
    hear(aws, *[message(id_, 1, "PENDING") for id_ in ids])
    sales.db.run("INSERT INTO order_payments VALUES (gen_random_uuid(), 1, 'PAID', 0, now())")

    assert rebuild_orders.handler({}, context()) == {"handled": 6}

    kept = sales.db.all("SELECT order_id FROM order_payments")
    assert {str(row["order_id"]) for row in kept} == set(ids)
