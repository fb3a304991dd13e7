"""What a list of orders shows of payments, made anew while messages arrive: the fold of its log, whoever came first."""

import random
from uuid import uuid4

from tests.cloud import Cloud
from tests.integration.tickets.test_order_payments import hear, message
from tests.rivals import Later, half_done
from tests.ticket_crowd import Invocation, at_once, flat, job, statuses
from tests.ticket_sales import Sales

ORDERS, VERSIONS, TELLERS, REBUILDS = 12, 5, 3, 12
NEWEST = """
    SELECT DISTINCT ON (order_id) order_id, version, payment_status, refunded_amount
      FROM order_payment_messages ORDER BY order_id, version DESC
"""
KEPT = "SELECT order_id, version, payment_status, refunded_amount FROM order_payments ORDER BY order_id"


def test_orders_that_are_made_anew_while_messages_arrive_are_the_fold_of_their_log(
    sales: Sales, aws: Cloud
) -> None:
    told = [
        message(order_id, version, "PARTIALLY_REFUNDED", f"{version}.00")
        for order_id in [str(uuid4()) for _ in range(ORDERS)]
        for version in range(1, VERSIONS + 1)
    ]
    random.Random(7).shuffle(told)
    lines = [
        [
            Invocation("functions.tickets.consumers.orders", {"Records": [aws.record("tickets-orders", one)]})
            for one in told[start::TELLERS]
        ]
        for start in range(TELLERS)
    ]

    answers = at_once(*lines, [job("rebuild_orders")] * REBUILDS)

    assert statuses(answers) == {200: len(told) + REBUILDS}
    assert [answer.body for answer in flat(answers[:TELLERS])] == [{"batchItemFailures": []}] * len(told)
    kept = sales.db.all(KEPT)
    assert kept == sales.db.all(NEWEST)
    assert [row["version"] for row in kept] == [VERSIONS] * ORDERS


def test_older_news_that_come_while_newer_ones_are_kept_change_nothing(sales: Sales, aws: Cloud) -> None:
    """The older ones' consumer has not seen the newer message, only waits for the row that it leaves."""
    order_id = str(uuid4())
    newer = """
        INSERT INTO order_payments (order_id, version, payment_status, refunded_amount, occurred_at)
        VALUES (%(id)s, 3, 'REFUNDED', 99, now())
    """
    with half_done(sales.db, newer, id=order_id) as other:
        older = Later(lambda: hear(aws, message(order_id, 2, "PAID")))
        assert older.is_blocked(sales.db)
        other.commit()
    older.result()
    assert [(row["version"], row["payment_status"]) for row in sales.db.all(KEPT)] == [(3, "REFUNDED")]
