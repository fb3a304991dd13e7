"""What the database refuses by itself, whatever the code asks of it."""

from uuid import UUID, uuid4

import pytest
from psycopg2.extras import Json

from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add, constraints, not_refused

ONE, TWO = UUID(int=1), UUID(int=2)
OTHER = UUID(int=3)

REFUSED = [
    ("catalogue_pkey", "INSERT INTO catalogue VALUES (TRUE, 1)"),
    ("catalogue_only_row_check", "INSERT INTO catalogue VALUES (FALSE, 1)"),
    ("event_categories_pkey", f"UPDATE event_categories SET id = '{OTHER}'"),
    ("event_categories_name_key", "INSERT INTO event_categories (name) VALUES ('Music')"),
    ("event_categories_name_in_any_case", "INSERT INTO event_categories (name) VALUES ('MUSIC')"),
    ("event_categories_name_check", "INSERT INTO event_categories (name) VALUES ('')"),
    ("events_pkey", f"UPDATE events SET id = '{OTHER}'"),
    ("events_category_fkey", "UPDATE events SET category = 'Knitting'"),
    ("events_category_fkey", "DELETE FROM event_categories WHERE name = 'Music'"),
    ("events_status_check", "UPDATE events SET status = 'LOST'"),
    ("events_name_check", "UPDATE events SET name = ''"),
    ("events_venue_name_check", "UPDATE events SET venue_name = ''"),
    ("events_venue_address_check", "UPDATE events SET venue_address = ''"),
    ("events_check", "UPDATE events SET status = 'CANCELLED'"),
    ("events_check", "UPDATE events SET cancel_reason = 'Rain'"),
    ("image_uploads_pkey", f"UPDATE image_uploads SET id = '{OTHER}'"),
    ("image_uploads_event_id_fkey", "UPDATE image_uploads SET event_id = gen_random_uuid()"),
    ("image_uploads_size_check", "UPDATE image_uploads SET size = 0"),
    ("image_uploads_status_check", "UPDATE image_uploads SET status = 'LOST' WHERE status = 'SHOWN'"),
    ("image_uploads_one_is_shown", "UPDATE image_uploads SET status = 'SHOWN', finished_at = now()"),
    ("image_uploads_check", "UPDATE image_uploads SET error = 'No picture'"),
    ("image_uploads_check", "UPDATE image_uploads SET status = 'REFUSED' WHERE status = 'SHOWN'"),
    ("image_uploads_check1", "UPDATE image_uploads SET finished_at = now() WHERE status = 'AWAITED'"),
    ("image_uploads_check1", "UPDATE image_uploads SET finished_at = NULL WHERE status = 'SHOWN'"),
    ("sales_messages_message_id_key", f"UPDATE sales_messages SET message_id = '{OTHER}'"),
    ("sales_events_pkey", f"UPDATE sales_events SET event_id = '{OTHER}'"),
    ("sales_types_pkey", f"UPDATE sales_types SET ticket_type_id = '{OTHER}'"),
    ("sales_orders_pkey", f"UPDATE sales_orders SET order_id = '{OTHER}'"),
    ("sales_tickets_pkey", f"UPDATE sales_tickets SET ticket_id = '{OTHER}'"),
    ("sales_releases_pkey", f"UPDATE sales_releases SET order_id = '{OTHER}'"),
]


@pytest.fixture
def db(events_db: TestDatabase) -> TestDatabase:
    """Two rows in every table."""
    at = now()
    for id in (ONE, TWO):
        where = {"time_zone": "Europe/Vienna", "venue_name": "Opera", "venue_address": "Opernring 2"}
        add(
            events_db, "events", id=id, organizer_id=id, name="Gala", event_date=at, category="Music", **where
        )
        add_sales(events_db, id)
    for status, finished_at in (("SHOWN", at), ("AWAITED", None)):
        picture = {"content_type": "image/png", "size": 1, "created_at": at}
        add(events_db, "image_uploads", event_id=ONE, status=status, finished_at=finished_at, **picture)
    return events_db


def add_sales(db: TestDatabase, id: UUID) -> None:
    of, at = {"event_id": id}, now()
    message = {"type": "stock_changed", "subject": id, "version": 1, "occurred_at": at, "data": Json({})}
    add(db, "sales_messages", message_id=uuid4(), **of, **message)
    add(db, "sales_events", **of)
    stock = {"price": 1, "currency": "EUR", "capacity": 1, "sold": 0, "held": 0}
    add(db, "sales_types", ticket_type_id=id, version=1, position=0, name="Stalls", **of, **stock)
    money = {"currency": "EUR", "captured": 1, "refunded": 0, "items": Json([]), "refunds": Json([])}
    add(db, "sales_orders", order_id=id, version=1, placed_at=at, **of, **money)
    add(db, "sales_tickets", ticket_id=id, order_id=id, **of)
    add(db, "sales_releases", order_id=id, version=1, **of)


def test_what_cannot_be_is_refused(db: TestDatabase) -> None:
    assert not_refused(db, REFUSED) == []


def test_every_constraint_is_tried(db: TestDatabase) -> None:
    assert constraints(db) == {constraint for constraint, _ in REFUSED}


def test_an_event_that_goes_leaves_its_pictures_to_be_removed(db: TestDatabase) -> None:
    db.run("DELETE FROM events")
    assert db.all("SELECT event_id FROM image_uploads") == [{"event_id": None}] * 2
