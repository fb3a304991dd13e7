"""A cancelled event's seats go back past whatever somebody is at work on, which looks at the event by itself."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from functions.tickets import people, voiding
from functions.tickets.database import database
from functions.tickets.repository import purchases, reservations
from shared.clock import now
from shared.database import Sql
from shared.errors import Unavailable
from tests.rivals import Later, half_done
from tests.support import a_user
from tests.ticket_sales import Sales


def test_a_hold_that_is_being_bought_holds_up_no_other(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    bought = sales.held(a_user(), event_id, {id: 2})
    sales.held(a_user(), event_id, {id: 1})
    lock = "SELECT FROM ticket_reservations WHERE reservation_id = %(id)s FOR NO KEY UPDATE"
    with half_done(sales.db, lock, id=bought), database.transaction() as sql:
        assert reservations.release_of_event(sql, event_id, 10) == 1
    assert sales.stock(id)[1] == 2
    with database.transaction() as sql:
        assert reservations.release_of_event(sql, event_id, 10) == 1
    assert sales.stock(id)[1] == 0


def test_an_order_that_is_being_issued_holds_up_no_other(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    issued, waiting = (UUID(sales.order(a_user(), event_id, {id: 1})) for _ in range(2))
    lock = "SELECT FROM purchases WHERE order_id = %(id)s FOR NO KEY UPDATE"
    with half_done(sales.db, lock, id=str(issued)), database.transaction() as sql:
        assert [each.order_id for each in purchases.stop_bound(sql, event_id, now(), 10)] == [waiting]
    with database.transaction() as sql:
        assert [each.order_id for each in purchases.stop_bound(sql, event_id, now(), 10)] == [issued]


def test_an_order_that_was_passed_over_is_stopped_by_the_next_batch(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED', cancel_reason = 'Rain'")

    def batch() -> tuple[bool, bool]:
        with database.transaction() as sql:
            voiding.next_batch(sql, event_id, now())
        row = sales.db.one(
            """
            SELECT pay_by <= now() AS stopped, voided_at IS NOT NULL AS done
              FROM purchases JOIN event_copies USING (event_id) WHERE order_id = %(id)s
            """,
            id=order_id,
        )
        assert row is not None
        return row["stopped"], row["done"]

    with half_done(sales.db, "SELECT FROM purchases WHERE order_id = %(id)s FOR UPDATE", id=order_id):
        assert batch() == (False, False), "a job looks at it"
    assert batch() == (True, False)
    assert batch() == (True, True)


def refund_meanwhile(sales: Sales, order_id: str, batch: Callable[[Sql], Any]) -> Any:
    """What a batch comes to that meets a refund of this order, which has the purchase and has not voided yet.

    Should they wait for one another, PostgreSQL has the batch give way, and it comes to None.
    """

    def whole() -> Any:
        with suppress(Unavailable), database.transaction() as sql:
            return batch(sql)

    lock = (
        "SET LOCAL deadlock_timeout = '1min'; SELECT FROM purchases WHERE order_id = %(id)s FOR NO KEY UPDATE"
    )
    with half_done(sales.db, lock, id=order_id) as refund:
        voided = Later(whole)
        assert voided.is_waiting()
        refund.cursor().execute("SELECT void_tickets(%s, NULL, 'REFUNDED')", [order_id])
        refund.commit()
    return voided.result()


def cancelled_with_a_hold(sales: Sales) -> tuple[UUID, str]:
    """A cancelled event, and an order of it; of the same type somebody holds a seat."""
    event_id = sales.event()
    id = sales.type(event_id)
    (ticket,) = sales.issued(a_user(), event_id, {id: 1})
    sales.held(a_user(), event_id, {id: 1})
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED', cancel_reason = 'Rain'")
    return event_id, str(ticket["order_id"])


def test_a_batch_of_voids_waits_for_a_refund_before_it_takes_what_the_refund_needs(sales: Sales) -> None:
    event_id, order_id = cancelled_with_a_hold(sales)

    voided = refund_meanwhile(sales, order_id, lambda sql: voiding.next_batch(sql, event_id, now()))

    assert voided == 1, "they waited for one another"
    counters = sales.db.all("SELECT quantity_sold, quantity_held FROM ticket_types")
    assert counters == [{"quantity_sold": 0, "quantity_held": 0}]


def test_control_a_batch_that_gives_holds_back_first_waits_for_a_refund_that_waits_for_it(
    sales: Sales,
) -> None:
    event_id, order_id = cancelled_with_a_hold(sales)

    def holds_first(sql: Sql) -> int:
        reservations.release_of_event(sql, event_id, 10)
        return len(purchases.lock_all(sql, [UUID(order_id)]))

    assert refund_meanwhile(sales, order_id, holds_first) is None


def test_forgetting_a_buyer_waits_for_a_refund_before_it_takes_what_the_refund_needs(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    (ticket,) = sales.issued(buyer, event_id, {id: 1})
    sales.held(buyer, event_id, {id: 1})

    def erase(sql: Sql) -> str:
        people.erase(sql, buyer.id, now())
        return "erased"

    assert refund_meanwhile(sales, str(ticket["order_id"]), erase) == "erased", "they waited for one another"
    assert sales.stock(id) == (0, 0)


def test_a_batch_of_voids_takes_ticket_types_in_the_order_that_buyers_do(sales: Sales) -> None:
    event_id, first, second = two_orders_against_the_order_of_their_types(sales)
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED', cancel_reason = 'Rain'")

    def batch() -> int:
        with database.transaction() as sql:
            return voiding.next_batch(sql, event_id, now())

    taken = "SELECT take_stock(%(event)s, %(type)s, 1)"
    with half_done(sales.db, taken, event=event_id, type=first) as buyer:
        voided = Later(batch)
        assert voided.is_waiting()
        buyer.cursor().execute(taken, {"event": event_id, "type": second})
        buyer.commit()
    assert voided.result() == 2, "they waited for one another"


def two_orders_against_the_order_of_their_types(sales: Sales) -> tuple[UUID, UUID, UUID]:
    """An event and its types by id; the order that is voided first has tickets of the second type."""
    while True:  # every other time, since ids are drawn at random
        event_id = sales.event()
        first, second = sorted(sales.type(event_id) for _ in range(2))
        of_first, of_second = (
            sales.issued(a_user(), event_id, {type_id: 1})[0]["order_id"] for type_id in (first, second)
        )
        if of_second < of_first:
            return event_id, first, second
