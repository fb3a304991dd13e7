"""A cancelled event's seats go back in batches: none is larger than it is asked to be."""

from functions.tickets.database import database
from functions.tickets.repository import reservations
from tests.support import a_user
from tests.ticket_sales import Sales


def test_holds_are_given_back_so_many_at_once(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    for _ in range(3):
        sales.held(a_user(), event_id, {id: 2})
    freed = []
    for _ in range(3):
        with database.transaction() as sql:
            freed.append(reservations.release_of_event(sql, event_id, 2))
    assert (freed, sales.stock(id)) == ([2, 1, 0], (0, 0))
