"""The last seat, wanted by those whose money came late and by new buyers at the same moment."""

from typing import Any
from uuid import UUID, uuid4

from functions.tickets import late_payments, qr_codes
from functions.tickets.database import database
from shared.clock import iso, now
from tests.cloud import Cloud
from tests.concurrency.tickets.test_stock import LOOK_THEN_TAKE, WITHOUT_CHECK
from tests.rivals import Later, half_done
from tests.support import a_user
from tests.ticket_crowd import Answer, Invocation, at_once, reservation
from tests.ticket_sales import Sales

EACH = 3


def late(aws: Cloud, order_id: str) -> Invocation:
    """The message that an order's money came late."""
    envelope: dict[str, Any] = {
        "id": str(uuid4()),
        "type": "payments.late_payment_received.v1",
        "subject": order_id,
        "sequence": 1,
        "time": iso(now()),
        "data": {"orderId": order_id},
    }
    event = {"Records": [aws.record("tickets-payments", envelope)]}
    return Invocation("functions.tickets.consumers.payments", event)


def rush(sales: Sales, aws: Cloud) -> tuple[UUID, list[str], list[list[Answer]]]:
    """One seat left: its type, the orders of late payers, and what each of them and of the new buyers was answered."""
    event_id = sales.event()
    id = sales.type(event_id, quantity=EACH)
    orders = [sales.order(a_user(), event_id, {id: 1}) for _ in range(EACH)]
    for order_id in orders:
        sales.release(order_id)
    sales.db.run("UPDATE ticket_types SET quantity_available = 1")
    buyers = [[reservation(a_user(), event_id, {id: 1})] for _ in range(EACH)]
    return id, orders, at_once(*[[late(aws, order_id)] for order_id in orders], *buyers)


def winners(sales: Sales, orders: list[str], answers: list[list[Answer]]) -> int:
    paid = sum(len(sales.tickets(order_id)) for order_id in orders)
    return paid + sum(line[0].status == 201 for line in answers[EACH:])


def test_exactly_one_of_late_payers_and_new_buyers_gets_the_last_seat(sales: Sales, aws: Cloud) -> None:
    for _ in range(3):
        id, orders, answers = rush(sales, aws)

        assert [line[0].body for line in answers[:EACH]] == [{"batchItemFailures": []}] * EACH
        assert winners(sales, orders, answers) == 1
        assert sum(sales.stock(id)) == 1
        refused = sales.outbox("tickets.late_payment_refused.v1")
        told = {str(row["subject"]) for row in refused} & set(orders)
        assert told == {order_id for order_id in orders if not sales.tickets(order_id)}


def test_control_looking_before_taking_sells_the_last_seat_twice(sales: Sales, aws: Cloud) -> None:
    sales.db.run(LOOK_THEN_TAKE)
    sales.db.run(WITHOUT_CHECK)
    rushes = (rush(sales, aws) for _ in range(10))  # one in which two looked at once is enough
    assert any(winners(sales, orders, answers) > 1 for _, orders, answers in rushes)


def test_one_message_delivered_to_several_at_once_is_one_purchase(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 2})
    sales.release(order_id)

    at_once(*[[late(aws, order_id)] for _ in range(2 * EACH)])

    assert (len(sales.tickets(order_id)), sales.stock(id)) == (2, (2, 0))


def test_late_money_waits_for_a_cancellation_of_its_event_that_is_under_way(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.release(order_id)

    def honour() -> None:
        with database.transaction() as sql:
            late_payments.honour(sql, UUID(order_id), 1, qr_codes.signer(), now())

    cancel = "UPDATE event_copies SET status = 'CANCELLED', cancel_reason = 'Rain' WHERE event_id = %(id)s"
    with half_done(sales.db, cancel, id=event_id) as cancelling:
        honoured = Later(honour)
        assert honoured.is_blocked(sales.db)
        cancelling.commit()
    honoured.result()

    assert sales.tickets(order_id) == []
