"""What the database refuses by itself, whatever the code asks of it."""

from uuid import UUID, uuid4

import psycopg2.errors
import pytest
from psycopg2.extras import Json

from functions.tickets.database import database
from functions.tickets.repository import reservations
from shared.clock import now
from shared.database import Refused
from tests.support import a_user
from tests.ticket_sales import Sales


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
