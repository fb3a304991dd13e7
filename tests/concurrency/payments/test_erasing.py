"""A buyer is erased while somebody is at work on an order: what that leaves behind is forgotten, too."""

from uuid import UUID, uuid4

import psycopg2.extras

from functions.payments import people
from functions.payments.database import database
from shared.clock import now
from shared.identity import User
from tests.databases import TestDatabase
from tests.payments_shop import Shop
from tests.rivals import Later, half_done
from tests.support import a_user

LOCK = "SELECT FROM orders WHERE id = %(id)s FOR UPDATE"
DECLINED = """
    INSERT INTO payment_transactions (order_id, kind, payment_method, payment_token, amount, currency, status)
    VALUES (%(id)s, 'ATTEMPT', 'stripe', 'pm_card_visa', 99, 'USD', 'DECLINED')
"""


def erase(buyer: User) -> None:
    with database.transaction() as sql:
        people.erase(sql, buyer.id, now())


def cards(db: TestDatabase) -> set[str]:
    return {row["payment_token"] for row in db.all("SELECT payment_token FROM payment_transactions")}


def test_a_card_that_is_being_declined_is_forgotten(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    with half_done(shop.db, LOCK, id=order_id) as attempt:
        attempt.cursor().execute(DECLINED, {"id": order_id})
        erased = Later(lambda: erase(buyer))
        assert erased.is_blocked(shop.db)
        attempt.commit()
    erased.result()
    assert cards(shop.db) == {"erased"}


def test_control_without_the_lock_the_card_would_stay(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer)
    with half_done(shop.db, LOCK, id=order_id) as attempt:
        attempt.cursor().execute(DECLINED, {"id": order_id})
        shop.db.run("INSERT INTO erased_users VALUES (%(id)s, now())", id=buyer.id)
        shop.db.run("UPDATE payment_transactions SET updated_at = updated_at")
        attempt.commit()
    assert cards(shop.db) == {"erased", "pm_card_visa"}


def test_orders_are_taken_in_the_order_of_their_ids(shop: Shop) -> None:
    """The lowest id is the one in the middle, by the time of the orders and by where they lie."""
    buyer, ids = a_user(), sorted(uuid4() for _ in range(3))
    for id in (ids[1], ids[0], ids[2]):
        shop.charge(shop.reservation(buyer=buyer) | {"orderId": str(id)})
    with half_done(shop.db, LOCK, id=ids[0]) as lowest:
        erased = Later(lambda: erase(buyer))
        assert erased.is_blocked(shop.db)
        free = "SELECT id FROM orders WHERE id <> %(id)s FOR UPDATE SKIP LOCKED"
        with lowest.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(free, {"id": ids[0]})
            assert {UUID(str(row["id"])) for row in cursor.fetchall()} == set(ids[1:])
    erased.result()
