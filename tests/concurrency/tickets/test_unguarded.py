"""Negative controls: races of test_races.py and test_stock.py without the guard that decides them, and how they end.

Two transactions that stay open are the two at the same moment; what they run is what a careless version would.
"""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from functions.tickets.database import database
from functions.tickets.repository import event_copies
from shared.clock import iso, now
from shared.consumer import Consumer, Message
from shared.contracts import OrderRefunded
from shared.database import Sql
from tests.cloud import Cloud
from tests.concurrency.tickets.test_stock import WITHOUT_CHECK
from tests.rivals import Later, half_done
from tests.support import a_user, context
from tests.ticket_sales import Sales


def test_control_a_quantity_that_is_made_smaller_after_looking_is_passed(sales: Sales) -> None:
    sales.db.run(WITHOUT_CHECK)
    event_id = sales.event()
    id = sales.type(event_id, quantity=60)
    look = "SELECT quantity_sold + quantity_held FROM ticket_types WHERE id = %(id)s"
    with half_done(sales.db, look, id=id) as organizer:
        assert sales.reserve(a_user(), event_id, {id: 4}).status == 201
        organizer.cursor().execute("UPDATE ticket_types SET quantity_available = 3")  # without the WHERE
        organizer.commit()
    row = sales.db.one("SELECT quantity_available, quantity_held FROM ticket_types")
    assert row == {"quantity_available": 3, "quantity_held": 4}


def test_a_quantity_is_not_made_smaller_while_a_sale_is_under_way(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=60)
    smaller = "UPDATE ticket_types SET quantity_available = 3 WHERE id = %(id)s AND quantity_sold + quantity_held <= 3"
    sale = "SELECT take_stock(%(event)s, %(id)s, 4)"
    with half_done(sales.db, sale, event=event_id, id=id) as under_way:
        shrunk = Later(lambda: sales.db.run(smaller, id=id))
        assert shrunk.is_waiting()
        under_way.commit()
    assert shrunk.result() == 0


def test_control_resends_that_are_counted_before_they_are_written_pass_their_limit(sales: Sales) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE tickets SET mailed_again = ARRAY[now(), now()]")
    count = "SELECT cardinality(mailed_again) FROM tickets"
    with half_done(sales.db, count) as first, half_done(sales.db, count) as second:
        for asker in (first, second):  # both have seen two, and three are allowed
            asker.cursor().execute("UPDATE tickets SET mailed_again = array_append(mailed_again, now())")
            asker.commit()
    assert sales.db.one("SELECT cardinality(mailed_again) AS n FROM tickets") == {"n": 4}


def test_control_first_types_that_look_for_a_currency_leave_an_event_with_two(sales: Sales) -> None:
    event_id = sales.event()
    sales.db.run("UPDATE event_copies SET currency = NULL")
    sales.db.run("ALTER TABLE ticket_types DROP CONSTRAINT ticket_types_currency")
    look = "SELECT currency FROM event_copies"
    insert = """
        INSERT INTO ticket_types (event_id, name, price, currency, quantity_available, created_at, updated_at)
        VALUES (%(event)s, 'Stalls', 10, %(currency)s, 5, now(), now())
    """
    with half_done(sales.db, look) as first, half_done(sales.db, look) as second:
        for organizer, currency in ((first, "EUR"), (second, "USD")):  # both saw none, and chose their own
            organizer.cursor().execute(insert, {"event": event_id, "currency": currency})
            organizer.commit()
    assert len(sales.db.all("SELECT DISTINCT currency FROM ticket_types")) == 2


def test_control_an_issue_that_does_not_wait_makes_tickets_of_a_cancelled_event(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    monkeypatch.setattr(event_copies, "get_for_share", event_copies.get)  # the same, without FOR SHARE
    with half_done(sales.db, "UPDATE event_copies SET status = 'CANCELLED'") as cancellation:
        # Of the cancellation's own batches, one has been by already and found nothing to void.
        assert sales.issue(order_id)["outcome"] == "issued"
        cancellation.commit()
    assert [row["status"] for row in sales.tickets(order_id)] == ["ACTIVE"]


def _refund(order_id: str, ticket_id: str) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "type": "payments.order_refunded.v1",
        "subject": order_id,
        "sequence": 1,
        "time": iso(now() - timedelta(seconds=1)),
        "data": {
            **{name: str(uuid4()) for name in ("userId", "eventId", "refundId")},
            "orderId": order_id,
            "orderNumber": "BO-1",
            "amount": "1.00",
            "currency": "EUR",
            "fully": False,
            "ticketIds": [ticket_id],
        },
    }


@pytest.mark.parametrize("has_inbox", [True, False])
def test_the_inbox_is_what_makes_a_message_that_comes_twice_one_message(
    sales: Sales, aws: Cloud, has_inbox: bool
) -> None:
    if not has_inbox:  # it remembers every message under a name that nobody will ask for
        sales.db.run(
            """
            CREATE FUNCTION forgetful() RETURNS TRIGGER LANGUAGE plpgsql AS $$
            BEGIN NEW.message_id := gen_random_uuid(); RETURN NEW; END $$;
            CREATE TRIGGER forgetful BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION forgetful()
            """
        )
    consumer, heard = Consumer(database, "tickets-payments"), list[UUID]()

    @consumer.on(OrderRefunded)
    def hear(message: Message[OrderRefunded], sql: Sql) -> None:
        heard.append(message.id)

    message = _refund(str(uuid4()), str(uuid4()))
    for _ in range(2):
        event = {"Records": [aws.record("tickets-payments", message)]}
        assert consumer.handler(event, context()) == {"batchItemFailures": []}
    assert len(heard) == (1 if has_inbox else 2)
