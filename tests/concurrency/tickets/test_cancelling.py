"""A cancelled event's seats go back past whatever somebody is at work on, which looks at the event by itself."""

from uuid import UUID

from functions.tickets.database import database
from functions.tickets.repository import purchases, reservations
from shared.clock import now
from tests.concurrency.tickets.test_races import half_done
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
