"""What the database refuses by itself, whatever the code asks of it."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg2.errors
import pytest
from psycopg2.extras import Json

from functions.tickets.database import database
from functions.tickets.repository import reservations
from shared.clock import now
from shared.database import Refused
from tests.databases import Databases, TestDatabase
from tests.refusals import add, constraints, not_refused
from tests.support import a_user
from tests.ticket_sales import Sales

ONE, TWO, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)

# Of two rows in every table.
REFUSED = [
    ("event_copies_pkey", f"UPDATE event_copies SET event_id = '{OTHER}'"),
    ("event_copies_status_check", "UPDATE event_copies SET status = 'LOST'"),
    ("event_copies_currency_check", "UPDATE event_copies SET currency = 'eur'"),
    ("ticket_types_pkey", f"UPDATE ticket_types SET id = '{OTHER}'"),
    ("ticket_types_currency", "UPDATE ticket_types SET currency = 'USD'"),
    ("ticket_types_currency", "UPDATE event_copies SET currency = 'USD'"),
    ("ticket_types_price_check", "UPDATE ticket_types SET price = -0.01"),
    ("ticket_types_per_person_limit_check", "UPDATE ticket_types SET per_person_limit = 0"),
    ("ticket_types_sale_dates", "UPDATE ticket_types SET sale_start_date = now(), sale_end_date = now()"),
    ("ticket_types_stock", "UPDATE ticket_types SET quantity_held = quantity_available + 1"),
    ("ticket_types_deleted", "UPDATE ticket_types SET quantity_held = 1, deleted_at = now()"),
    ("ticket_types_deleted", "UPDATE ticket_types SET quantity_sold = 1, deleted_at = now()"),
    ("ticket_type_buyers_pkey", f"UPDATE ticket_type_buyers SET user_id = '{OTHER}'"),
    ("ticket_type_buyers_limit", "UPDATE ticket_type_buyers SET taken = allowed + 1"),
    (
        "ticket_type_buyers_ticket_type_id_fkey",
        "UPDATE ticket_type_buyers SET ticket_type_id = gen_random_uuid()",
    ),
    ("ticket_reservations_pkey", f"UPDATE ticket_reservations SET id = '{OTHER}'"),
    ("ticket_reservations_once", f"UPDATE ticket_reservations SET ticket_type_id = '{ONE}'"),
    (
        "ticket_reservations_ticket_type_id_fkey",
        "UPDATE ticket_reservations SET ticket_type_id = gen_random_uuid()",
    ),
    ("ticket_reservations_quantity_check", "UPDATE ticket_reservations SET quantity = 0"),
    ("ticket_reservations_unit_price_check", "UPDATE ticket_reservations SET unit_price = -0.01"),
    ("ticket_reservations_status_check", "UPDATE ticket_reservations SET status = 'LOST'"),
    ("ticket_reservations_bound", "UPDATE ticket_reservations SET status = 'BOUND'"),
    ("ticket_reservations_bound", "UPDATE ticket_reservations SET status = 'ISSUED'"),
    ("purchases_pkey", f"UPDATE purchases SET order_id = '{OTHER}'"),
    ("purchases_reservation_id_key", f"UPDATE purchases SET reservation_id = '{OTHER}'"),
    ("purchases_order_number_key", "UPDATE purchases SET order_number = 'same'"),
    ("purchases_total_amount_check", "UPDATE purchases SET total_amount = -0.01"),
    ("purchases_status_check", "UPDATE purchases SET status = 'LOST'"),
    ("purchases_saga_runs_check", "UPDATE purchases SET saga_runs = 0"),
    ("purchases_late_payment_check", "UPDATE purchases SET late_payment = 'MAYBE'"),
    ("purchases_delivery_status_check", "UPDATE purchases SET delivery_status = 'LOST'"),
    ("purchase_events_order_id_fkey", "UPDATE purchase_events SET order_id = gen_random_uuid()"),
    ("purchase_events_order_id_version_key", "UPDATE purchase_events SET version = 7"),
    ("tickets_pkey", f"UPDATE tickets SET id = '{OTHER}'"),
    ("tickets_ticket_number_key", "UPDATE tickets SET ticket_number = 'same'"),
    ("tickets_qr_code_key", "UPDATE tickets SET qr_code = 'same'"),
    ("tickets_order_id_fkey", "UPDATE tickets SET order_id = gen_random_uuid()"),
    ("tickets_ticket_type_id_fkey", "UPDATE tickets SET ticket_type_id = gen_random_uuid()"),
    ("tickets_status_check", "UPDATE tickets SET status = 'LOST'"),
    ("tickets_void_reason_check", "UPDATE tickets SET void_reason = 'DISLIKED'"),
    ("tickets_used", "UPDATE tickets SET status = 'USED'"),
    ("ticket_events_ticket_id_fkey", "UPDATE ticket_events SET ticket_id = gen_random_uuid()"),
    ("ticket_events_ticket_id_version_key", "UPDATE ticket_events SET version = 7"),
    ("stock_told_pkey", f"UPDATE stock_told SET event_id = '{OTHER}'"),
    ("order_payment_messages_pkey", f"UPDATE order_payment_messages SET message_id = '{OTHER}'"),
    ("order_payments_pkey", f"UPDATE order_payments SET order_id = '{OTHER}'"),
]
# What the foreign key of currencies refers to; what it refuses, the primary key refuses first.
NOT_ALONE = {"event_copies_one_currency"}


@pytest.mark.parametrize(
    "change",
    [
        "quantity_held = 101",
        "quantity_sold = 101",
        "quantity_sold = 60, quantity_held = 41",
        "quantity_available = -1",
        "quantity_sold = -1",
        "quantity_held = -1",
        "price = -0.01",
        "per_person_limit = 0",
        "sale_start_date = now(), sale_end_date = now()",
        "quantity_held = 1, deleted_at = now()",
    ],
)
def test_a_ticket_type_that_cannot_be(sales: Sales, change: str) -> None:
    sales.type(sales.event())
    with pytest.raises(psycopg2.errors.CheckViolation):
        sales.db.run(f"UPDATE ticket_types SET {change}")


def test_exactly_the_capacity_may_be_taken(sales: Sales) -> None:
    sales.type(sales.event())
    assert sales.db.run("UPDATE ticket_types SET quantity_sold = 60, quantity_held = 40") == 1


def test_two_currencies_in_one_event(sales: Sales) -> None:
    event_id = sales.event()
    sales.type(event_id)
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        sales.db.run("UPDATE ticket_types SET currency = 'USD'")
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        sales.db.run("UPDATE event_copies SET currency = 'USD'")


def test_more_than_a_buyer_is_allowed(sales: Sales) -> None:
    event_id = sales.event()
    sales.held(a_user(), event_id, {sales.type(event_id, limit=2): 2})
    for change in ("taken = 3", "taken = -1"):
        with pytest.raises(psycopg2.errors.CheckViolation):
            sales.db.run(f"UPDATE ticket_type_buyers SET {change}")


def test_bound_seats_without_an_order(sales: Sales) -> None:
    event_id = sales.event()
    sales.held(a_user(), event_id, {sales.type(event_id): 2})
    with pytest.raises(psycopg2.errors.CheckViolation):
        sales.db.run("UPDATE ticket_reservations SET status = 'BOUND'")


def test_giving_back_more_than_is_held(sales: Sales) -> None:
    """A bug that released twice would be an error, not an oversell."""
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 2})
    with database.transaction() as sql:
        held = reservations.lock(sql, UUID(reservation))
        reservations.give_back(sql, held, "RELEASED")
    with pytest.raises(Refused), database.transaction() as sql:
        reservations.give_back(sql, held, "RELEASED")


def test_a_used_ticket_without_a_time(sales: Sales) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    with pytest.raises(psycopg2.errors.CheckViolation):
        sales.db.run("UPDATE tickets SET status = 'USED'")


@pytest.mark.parametrize(
    ("table", "differs_in"),
    [
        ("ticket_reservations", {"id": str(uuid4()), "position": 1}),
        ("purchases", {"order_id": str(uuid4()), "order_number": "another"}),
        ("purchases", {"order_id": str(uuid4()), "reservation_id": str(uuid4())}),
        ("purchase_events", {"id": 1_000_000}),
        ("tickets", {"id": str(uuid4()), "qr_code": "another"}),
        ("tickets", {"id": str(uuid4()), "ticket_number": "another"}),
        ("ticket_events", {"id": 1_000_000}),
    ],
    ids=[
        "a type twice in one reservation",
        "two purchases of one reservation",
        "two purchases of one number",
        "two events of one version of a purchase",
        "two tickets of one number",
        "two tickets of one QR code",
        "two events of one version of a ticket",
    ],
)
def test_a_row_that_is_the_same_but_for(sales: Sales, table: str, differs_in: dict[str, object]) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    with pytest.raises(psycopg2.errors.UniqueViolation):
        sales.db.run(
            f"""
            INSERT INTO {table} OVERRIDING SYSTEM VALUE
            SELECT (jsonb_populate_record(row, %(differs_in)s)).* FROM {table} AS row LIMIT 1
            """,
            differs_in=Json(differs_in),
        )


def test_what_was_sold_before_is_not_looked_through_for_holds_that_ran_out(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    sales.db.run(
        """
        INSERT INTO ticket_reservations (reservation_id, position, user_id, event_id, ticket_type_id, quantity,
                                         unit_price, currency, reserved_until, status, order_id, created_at)
        SELECT gen_random_uuid(), 0, gen_random_uuid(), %(event_id)s, %(id)s, 1, 10, 'EUR', now(), 'ISSUED',
               gen_random_uuid(), now()
          FROM generate_series(1, 20000)
        """,
        event_id=event_id,
        id=id,
    )
    sales.db.run("ANALYZE ticket_reservations")
    plan = sales.db.all(
        """
        EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT FROM ticket_reservations r
         WHERE r.ticket_type_id = %(id)s AND r.status = 'HELD' AND r.reserved_until <= %(now)s
        """,
        id=id,
        now=now(),
    )[0]["QUERY PLAN"][0]["Plan"]
    assert plan["Node Type"].startswith(("Index", "Bitmap"))
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 5


def add_sale(db: TestDatabase, id: UUID, number: int) -> None:
    """A row in every table that holds the first event's sales."""
    at, of_event = now(), {"event_id": ONE}
    stock = {"price": 10, "currency": "EUR", "quantity_available": 5, "created_at": at, "updated_at": at}
    add(db, "ticket_types", id=id, name="Stalls", **of_event, **stock)
    add(db, "ticket_type_buyers", ticket_type_id=ONE, user_id=id, taken=1, allowed=2)
    held = {"quantity": 1, "unit_price": 10, "currency": "EUR", "reserved_until": at, "created_at": at}
    kept = {"reservation_id": ONE, "position": number, "user_id": ONE, "ticket_type_id": id}
    add(db, "ticket_reservations", **kept, **of_event, **held)
    money = {"total_amount": 10, "currency": "EUR", "payment_type": "stripe", "pay_by": at}
    order = {"order_number": str(id), "user_id": ONE, "holder_names": Json([]), "saga_checked_at": at}
    add(db, "purchases", order_id=id, reservation_id=id, created_at=at, **of_event, **order, **money)
    event = {"version": number, "type": "issued", "data": Json({}), "created_at": at}
    add(db, "purchase_events", order_id=ONE, **event)
    ticket = {"ticket_type_id": ONE, "order_id": ONE, "user_id": ONE, "ticket_number": str(id)}
    add(db, "tickets", id=id, qr_code=str(id), created_at=at, **of_event, **ticket)
    add(db, "ticket_events", ticket_id=ONE, **event)


def add_news(db: TestDatabase, id: UUID) -> None:
    """A row in every table that holds what others say, or are told."""
    place = {"time_zone": "Europe/Vienna", "venue_name": "Opera", "venue_address": "Opernring 2"}
    event = {"organizer_id": ONE, "name": "Gala", "event_date": now(), "status": "PUBLISHED", "version": 1}
    add(db, "event_copies", event_id=id, currency="EUR", refreshed_at=now(), **event, **place)
    add(db, "stock_told", event_id=id, version=1, types=Json([]), told_at=now())
    said = {"version": 1, "payment_status": "PAID", "refunded_amount": 0, "occurred_at": now()}
    add(db, "order_payment_messages", message_id=id, order_id=id, **said)
    add(db, "order_payments", order_id=id, **said)


@pytest.fixture
def rows(databases: Databases) -> Iterator[TestDatabase]:
    """Two rows in every table, which nothing led to."""
    with databases.clone("tickets") as db:
        for number, id in enumerate((ONE, TWO), 1):
            add_news(db, id)
            add_sale(db, id, number)
        yield db


def test_what_cannot_be_is_refused(rows: TestDatabase) -> None:
    assert not_refused(rows, REFUSED) == []


def test_every_constraint_is_tried(rows: TestDatabase) -> None:
    assert constraints(rows) - NOT_ALONE == {constraint for constraint, _ in REFUSED}
