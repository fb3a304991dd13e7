"""What the database refuses by itself, whatever the code asks of it."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg2.errors
import pytest
from psycopg2.extras import Json

from shared.clock import now
from tests.databases import Databases, TestDatabase
from tests.payments_shop import Shop
from tests.refusals import add, constraints, not_refused
from tests.support import a_user

ONE, TWO, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)

# Of an order that is paid, an order that is not, and two rows in every other table.
REFUSED = [
    ("orders_pkey", f"UPDATE orders SET id = '{OTHER}'"),
    ("orders_order_number_key", "UPDATE orders SET order_number = 'same'"),
    (
        "orders_payment_gateway_transaction_id_key",
        "UPDATE orders SET payment_gateway_transaction_id = 'pi_1'",
    ),
    ("orders_currency_check", "UPDATE orders SET currency = 'eur'"),
    ("orders_total_amount_check", "UPDATE orders SET total_amount = -1 WHERE captured_amount = 0"),
    ("orders_payment_number_check", "UPDATE orders SET payment_number = 0"),
    ("orders_payment_status_check", "UPDATE orders SET payment_status = 'LOST'"),
    ("orders_dispute_check", "UPDATE orders SET dispute = 'MAYBE'"),
    ("orders_captured_at_most_once", "UPDATE orders SET captured_amount = 2 * total_amount"),
    ("orders_refunds_within_payment", "UPDATE orders SET refunding_amount = total_amount + 0.01"),
    ("orders_secret_only_for_action", "UPDATE orders SET client_secret = 'pi_1_secret_2'"),
    ("orders_approval_only_for_action", "UPDATE orders SET approval_url = 'https://paypal.example'"),
    *(
        (
            "orders_paid_is_captured",
            f"UPDATE orders SET payment_status = '{status}' WHERE captured_amount = 0",
        )
        for status in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED", "DISPUTED")
    ),
    *(
        ("orders_undecided_is_not_captured", f"UPDATE orders SET payment_status = '{status}'")
        for status in ("PENDING", "REQUIRES_ACTION", "PAYMENT_FAILED")
    ),
    ("order_starts_pkey", f"UPDATE order_starts SET order_id = '{OTHER}'"),
    ("order_items_pkey", f"UPDATE order_items SET id = '{OTHER}'"),
    ("order_items_order_id_fkey", "UPDATE order_items SET order_id = gen_random_uuid()"),
    ("order_items_quantity_check", "UPDATE order_items SET quantity = 0, total_price = 0"),
    ("order_items_unit_price_check", "UPDATE order_items SET unit_price = -1, total_price = -quantity"),
    ("order_items_add_up", "UPDATE order_items SET quantity = quantity + 1"),
    ("order_events_order_id_fkey", "UPDATE order_events SET order_id = gen_random_uuid()"),
    ("order_events_one_per_version", "UPDATE order_events SET version = 7"),
    ("payment_transactions_asks_check", "UPDATE payment_transactions SET asks = -1"),
    ("payment_transactions_pkey", f"UPDATE payment_transactions SET id = '{OTHER}'"),
    ("payment_transactions_order_id_fkey", "UPDATE payment_transactions SET order_id = gen_random_uuid()"),
    ("payment_transactions_kind_check", "UPDATE payment_transactions SET kind = 'GIFT'"),
    ("payment_transactions_amount_check", "UPDATE payment_transactions SET amount = -0.01"),
    ("payment_transactions_status_check", "UPDATE payment_transactions SET status = 'LOST'"),
    ("payment_transactions_one_open_attempt", "UPDATE payment_transactions SET status = 'OPEN'"),
    ("refunds_pkey", f"UPDATE refunds SET id = '{OTHER}'"),
    ("refunds_order_id_fkey", "UPDATE refunds SET order_id = gen_random_uuid()"),
    ("refunds_gateway_refund_id_key", "UPDATE refunds SET gateway_refund_id = 're_1'"),
    ("refunds_cause_check", "UPDATE refunds SET cause = 'KINDNESS'"),
    ("refunds_amount_check", "UPDATE refunds SET amount = 0"),
    ("refunds_status_check", "UPDATE refunds SET status = 'LOST'"),
    ("second_payments_pkey", "UPDATE second_payments SET intent_id = 'pi_1'"),
    ("second_payments_order_id_fkey", "UPDATE second_payments SET order_id = gen_random_uuid()"),
    ("second_payments_refund_key_key", f"UPDATE second_payments SET refund_key = '{OTHER}'"),
    ("second_payments_amount_check", "UPDATE second_payments SET amount = 0"),
    ("second_payments_status_check", "UPDATE second_payments SET status = 'LOST'"),
    ("disputes_pkey", "UPDATE disputes SET dispute_id = 'dp_1'"),
    ("disputes_order_id_fkey", "UPDATE disputes SET order_id = gen_random_uuid()"),
    ("disputes_amount_check", "UPDATE disputes SET amount = -0.01"),
    ("disputes_status_check", "UPDATE disputes SET status = 'MAYBE'"),
    ("webhook_events_pkey", "UPDATE webhook_events SET event_id = 'evt_1'"),
    ("task_tokens_pkey", f"UPDATE task_tokens SET order_id = '{OTHER}'"),
    ("event_owners_pkey", f"UPDATE event_owners SET event_id = '{OTHER}'"),
    ("buyers_pkey", f"UPDATE buyers SET user_id = '{OTHER}'"),
    ("buyers_erased", "UPDATE buyers SET email = NULL"),
    ("buyers_erased", "UPDATE buyers SET last_name = NULL"),
    ("buyers_erased", "UPDATE buyers SET erased_at = now()"),
]

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


def add_order(db: TestDatabase, id: UUID, status: str, captured: int) -> None:
    at = now()
    people = {"user_id": id, "event_id": id, "organizer_id": id}
    money = {"total_amount": 10, "currency": "EUR", "payment_status": status, "captured_amount": captured}
    add(db, "orders", id=id, order_number=str(id), payment_method="stripe", pay_by=at, **people, **money)
    add(db, "order_starts", order_id=id, cancelled=False, created_at=at)
    line = {"name": "Stalls", "quantity": 2, "unit_price": 5, "total_price": 10}
    add(db, "order_items", order_id=id, ticket_type_id=id, **line)


def add_more(db: TestDatabase, id: UUID, number: int) -> None:
    """A row in every other table, of the first order where it is of an order."""
    times, of_order = {"created_at": now(), "updated_at": now()}, {"order_id": ONE}
    add(db, "order_events", version=number, type="PAID", data=Json({}), created_at=now(), **of_order)
    attempt = {"kind": "ATTEMPT", "payment_method": "stripe", "amount": 10, "currency": "EUR"}
    add(db, "payment_transactions", status="DECLINED", **attempt, **of_order)
    refund = {"cause": "REQUESTED", "amount": 1, "reason": "Sorry", "ticket_ids": []}
    add(db, "refunds", id=id, status="REQUESTED", **refund, **of_order, **times)
    second = {"provider": "stripe", "intent_id": str(id), "refund_key": id, "amount": 1}
    add(db, "second_payments", status="REQUESTED", **second, **of_order, **times)
    add(db, "disputes", dispute_id=str(id), status="OPEN", updated_at=now(), **of_order)
    webhook = {"provider": "stripe", "event_id": str(id), "type": "x", "object_id": "y"}
    add(db, "webhook_events", received_at=now(), **webhook)
    add(db, "task_tokens", order_id=id, token="t", created_at=now())
    add(db, "event_owners", event_id=id, organizer_id=id, version=1)
    add(db, "buyers", user_id=id, version=1, email="a@example.com", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def rows(databases: Databases) -> Iterator[TestDatabase]:
    """An order that is paid, one that is not, and two rows in every other table, which nothing led to."""
    with databases.clone("payments") as db:
        add_order(db, ONE, "PAID", 10)
        add_order(db, TWO, "PENDING", 0)
        for number, id in enumerate((ONE, TWO), 1):
            add_more(db, id, number)
        yield db


def test_what_cannot_be_is_refused(rows: TestDatabase) -> None:
    assert not_refused(rows, REFUSED) == []


def test_every_constraint_is_tried(rows: TestDatabase) -> None:
    assert constraints(rows) == {constraint for constraint, _ in REFUSED}
