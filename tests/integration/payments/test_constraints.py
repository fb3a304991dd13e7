"""What the database refuses by itself, whatever the code asks of it."""

from uuid import uuid4

import psycopg2.errors
import pytest

from tests.payments_shop import Shop
from tests.support import a_user

# Of an order of 99.00 that is paid.
CANNOT_BE = (
    "captured_amount = 98.99",
    "captured_amount = 2 * total_amount",
    "captured_amount = 98.99, payment_status = 'CANCELLED'",
    "captured_amount = 0",  # it is paid
    "payment_status = 'PENDING'",  # it is captured
    "payment_status = 'PAYMENT_FAILED'",
    "refunded_amount = 99.01",
    "refunding_amount = 99.01",
    "refunded_amount = 50, refunding_amount = 49.01",
    "refunded_amount = -0.01",
    "refunding_amount = -0.01",
    "total_amount = -1, captured_amount = -1",
    "payment_status = 'LOST'",
    "client_secret = 'pi_1_secret_2'",
    "approval_url = 'https://paypal.example'",
    "dispute = 'MAYBE'",
)


def is_refused(shop: Shop, change: str) -> bool:
    try:
        shop.db.run(f"UPDATE orders SET {change}")
    except psycopg2.errors.CheckViolation:
        return True
    return False


def test_a_paid_order_that_cannot_be(shop: Shop) -> None:
    assert shop.order(shop.order_of(a_user()))["payment_status"] == "PAID"
    assert [change for change in CANNOT_BE if not is_refused(shop, change)] == []


def test_all_of_a_payment_may_go_back(shop: Shop) -> None:
    shop.order_of(a_user())
    assert shop.db.run("UPDATE orders SET refunded_amount = 50, refunding_amount = 49") == 1
    shop.db.run("UPDATE orders SET refunded_amount = 0, refunding_amount = 0")  # nothing of it has happened


def test_items_that_do_not_add_up(shop: Shop) -> None:
    shop.order_of(a_user())
    with pytest.raises(psycopg2.errors.CheckViolation):
        shop.db.run("UPDATE order_items SET quantity = quantity + 1")


def test_two_orders_with_one_payment(shop: Shop) -> None:
    for _ in range(2):
        shop.order_of(a_user())
    with pytest.raises(psycopg2.errors.UniqueViolation):
        shop.db.run("UPDATE orders SET payment_gateway_transaction_id = 'pi_1'")


def test_two_events_of_one_version(shop: Shop) -> None:
    shop.order_of(a_user())
    assert shop.db.one("SELECT count(*) AS n FROM order_events") != {"n": 1}
    with pytest.raises(psycopg2.errors.UniqueViolation):
        shop.db.run("UPDATE order_events SET version = 7")


def test_two_refunds_that_the_provider_knows_as_one(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    for _ in range(2):
        shop.db.run(
            """
            INSERT INTO refunds (id, order_id, cause, amount, reason, ticket_ids, status, created_at, updated_at)
            VALUES (%(id)s, %(order)s, 'REQUESTED', 1, 'Sorry', '{}', 'REQUESTED', now(), now())
            """,
            id=str(uuid4()),
            order=order_id,
        )
    with pytest.raises(psycopg2.errors.UniqueViolation):
        shop.db.run("UPDATE refunds SET gateway_refund_id = 're_1'")
