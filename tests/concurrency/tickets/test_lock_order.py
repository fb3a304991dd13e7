"""Whoever moves seats of several types takes the types in the order of their ids, however rows lie or plans run."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from functions.tickets import holds, releasing
from functions.tickets.consumers import payments
from functions.tickets.database import database
from shared.clock import iso, now
from shared.contracts import LatePaymentReceived
from shared.identity import User
from tests.cloud import Cloud
from tests.rivals import Later, half_done
from tests.support import a_user, context
from tests.ticket_sales import Sales

TYPES = [UUID(int=number) for number in range(1, 9)]
Change = Callable[[], object]


def give_back(sales: Sales, aws: Cloud, buyer: User, event_id: UUID) -> Change:
    reservation = UUID(sales.held(buyer, event_id, dict.fromkeys(TYPES, 1)))

    def change() -> None:
        with database.transaction() as sql:
            holds.release(sql, buyer.id, reservation)

    return change


def issue(sales: Sales, aws: Cloud, buyer: User, event_id: UUID) -> Change:
    order_id = sales.order(buyer, event_id, dict.fromkeys(TYPES, 1))
    return lambda: sales.issue(order_id)


def void(sales: Sales, aws: Cloud, buyer: User, event_id: UUID) -> Change:
    order_id = str(sales.issued(buyer, event_id, dict.fromkeys(TYPES, 1))[0]["order_id"])
    return lambda: sales.release(order_id)


def honour(aws: Cloud, order_id: str) -> Change:
    """Its money came late, or is ours again."""
    message = {
        "id": str(uuid4()),
        "type": LatePaymentReceived.TYPE,
        "subject": order_id,
        "sequence": 99,
        "time": iso(now()),
        "data": {"orderId": order_id},
    }
    return lambda: payments.handler({"Records": [aws.record("tickets-payments", message)]}, context())


def buy_again(sales: Sales, aws: Cloud, buyer: User, event_id: UUID) -> Change:
    order_id = sales.order(buyer, event_id, dict.fromkeys(TYPES, 1))
    sales.release(order_id)
    return honour(aws, order_id)


def reinstate(sales: Sales, aws: Cloud, buyer: User, event_id: UUID) -> Change:
    order_id = str(sales.issued(buyer, event_id, dict.fromkeys(TYPES, 1))[0]["order_id"])
    with database.transaction() as sql:
        releasing.void(sql, UUID(order_id), None, "DISPUTED", now())
    return honour(aws, order_id)


def lay_backwards(sales: Sales) -> None:
    """The rows of the last type come first, and no index, nor a sort that nobody asked for, gives another order."""
    for id in reversed(TYPES):
        for table in ("ticket_reservations", "tickets"):
            sales.db.run(f"UPDATE {table} SET user_id = user_id WHERE ticket_type_id = %(id)s", id=id)
    for plan in ("enable_indexscan", "enable_bitmapscan", "enable_sort"):
        sales.db.run(f"ALTER DATABASE {sales.db.name} SET {plan} = off")
    database.reset()


@pytest.mark.parametrize("number", [0, 4, 7])
@pytest.mark.parametrize("prepared", [give_back, issue, void, buy_again, reinstate])
def test_while_a_type_is_waited_for_those_before_it_are_taken_and_those_after_it_are_not(
    sales: Sales, aws: Cloud, prepared: Callable[[Sales, Cloud, User, UUID], Change], number: int
) -> None:
    event_id = sales.event()
    for id in TYPES:
        sales.type(event_id, id=id)
    change = prepared(sales, aws, a_user(), event_id)
    lay_backwards(sales)
    lock = "SELECT FROM ticket_types WHERE id = %(id)s FOR NO KEY UPDATE"
    with half_done(sales.db, lock, id=TYPES[number]) as other:
        changed = Later(change)
        assert changed.is_blocked(sales.db)
        free = "SELECT id FROM ticket_types WHERE id <> %s ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
        with other.cursor() as cursor:
            cursor.execute(free, [str(TYPES[number])])
            assert [UUID(str(id)) for (id,) in cursor.fetchall()] == TYPES[number + 1 :]
    changed.result()
