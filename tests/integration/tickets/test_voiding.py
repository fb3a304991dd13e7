"""An event is called off: batch after batch, every ticket is void, every holder told, and nothing happens twice."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.tickets.consumers import voids
from functions.tickets.jobs import resume_voiding
from shared.clock import iso, now
from tests.cloud import Cloud
from tests.integration.tickets.test_consumers import hear_of_event, refund
from tests.saga.tickets.test_tasks import verify
from tests.support import a_user, context
from tests.ticket_sales import Sales

REASON = "The roof leaks, <b>sorry</b>"


def call_off(aws: Cloud, event_id: UUID) -> None:
    hear_of_event(aws, event_id, "cancelled", version=9, status="CANCELLED", reason=REASON)


def work_off(aws: Cloud, *, again: bool = False) -> int:
    """Hand the queue's messages to its consumer until none is left (each twice if `again`); how many there were."""
    handled = 0
    while len(waiting := aws.messages("tickets-voids")) > handled:
        for message in waiting[handled:]:
            for _ in range(2 if again else 1):
                answer = voids.handler({"Records": [aws.record("tickets-voids", message)]}, context())
                assert answer == {"batchItemFailures": []}
            handled += 1
    return handled


def of_type(aws: Cloud, queue: str, type_: str) -> list[dict[str, Any]]:
    return [message["data"] for message in aws.messages(queue) if message["type"] == type_]


@pytest.mark.parametrize("again", [False, True])
def test_every_ticket_is_void_and_every_holder_told_once(sales: Sales, aws: Cloud, again: bool) -> None:
    sales.extension.parameters["void_batch"] = "3"
    event_id = sales.event()
    stalls, free = sales.type(event_id), sales.type(event_id, price="0")
    buyers = [a_user() for _ in range(5)]
    for buyer in buyers[:4]:
        sales.issued(buyer, event_id, {stalls: 2})
    sales.issued(buyers[4], event_id, {free: 1})

    call_off(aws, event_id)
    batches = work_off(aws, again=again)

    assert batches >= 4, "9 tickets in batches of 3, orders whole, and an empty one at the end"
    assert (
        sales.db.all("SELECT 1 FROM tickets WHERE status <> 'VOID' OR void_reason <> 'EVENT_CANCELLED'") == []
    )
    assert (sales.stock(stalls), sales.stock(free), sales.taken(stalls, buyers[0])) == ((0, 0), (0, 0), 0)
    told = of_type(aws, "tickets", "tickets.tickets_voided.v1")
    assert sorted(len(message["ticketIds"]) for message in told) == [1, 2, 2, 2, 2]
    assert {message["reason"] for message in told} == {"EVENT_CANCELLED"}
    mails = of_type(aws, "mail", "notifications.mail_requested.v1")
    assert sorted(mail["userId"] for mail in mails) == sorted(str(buyer.id) for buyer in buyers)
    assert {mail["template"] for mail in mails} == {"event-cancelled"}
    assert {(mail["data"]["reason"], mail["data"]["isFree"]) for mail in mails} == {
        (REASON, False),
        (REASON, True),
    }
    row = sales.db.one("SELECT voided_at FROM event_copies WHERE event_id = %(id)s", id=event_id)
    assert row is not None
    assert row["voided_at"] is not None


def test_an_order_is_never_split(sales: Sales, aws: Cloud) -> None:
    sales.extension.parameters["void_batch"] = "1"
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 5})[0]["order_id"])
    call_off(aws, event_id)
    work_off(aws)
    [told] = of_type(aws, "tickets", "tickets.tickets_voided.v1")
    assert len(told["ticketIds"]) == 5
    assert sales.history(order_id)[-1] == (3, "tickets_voided")


def test_held_seats_are_given_back(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {id: 4})
    call_off(aws, event_id)
    work_off(aws)
    assert (sales.statuses(reservation), sales.stock(id), sales.taken(id, buyer)) == (["RELEASED"], (0, 0), 0)
    assert sales.purchase(buyer, reservation).code == "RESERVATION_EXPIRED"


def test_a_purchase_under_way_is_stopped_and_its_saga_has_no_time_left(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 1})
    call_off(aws, event_id)
    work_off(aws)
    [stopped] = of_type(aws, "tickets", "tickets.purchase_stopped.v1")
    assert stopped["orderId"] == order_id
    assert verify(order_id)["secondsToPay"] == 1
    assert sales.issue(order_id)["reason"] == "EVENT_CANCELLED"
    sales.release(order_id)
    sales.notify(order_id, "cancelled")
    assert [m["template"] for m in of_type(aws, "mail", "notifications.mail_requested.v1")] == [
        "order-cancelled"
    ]


def test_what_was_refunded_before_is_left_alone(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    first, second = sales.issued(a_user(), event_id, {id: 2})
    refund(aws, str(first["order_id"]), [first["id"]], fully=False)
    gone = sales.issued(a_user(), event_id, {id: 1})[0]
    refund(aws, str(gone["order_id"]), [], fully=True)
    call_off(aws, event_id)
    work_off(aws)
    told = of_type(aws, "tickets", "tickets.tickets_voided.v1")
    assert [(message["reason"], message["ticketIds"]) for message in told] == [
        ("REFUNDED", [str(first["id"])]),
        ("REFUNDED", [str(gone["id"])]),
        ("EVENT_CANCELLED", [str(second["id"])]),
    ]


def test_the_sweep_goes_on_where_a_command_was_lost(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    call_off(aws, event_id)
    lost = len(aws.messages("tickets-voids"))  # and nobody handles it
    assert resume_voiding.handler({}, context()) == {"handled": 0}, "it may still be on its way"
    assert resume_voiding.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    assert len(aws.messages("tickets-voids")) == lost + 1
    work_off(aws)
    assert sales.db.all("SELECT 1 FROM tickets WHERE status <> 'VOID'") == []
    assert resume_voiding.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}


def test_a_batch_of_an_event_that_is_not_cancelled_voids_nothing(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    for id_ in (event_id, uuid4()):
        message = {
            "id": str(uuid4()),
            "type": "tickets.voids_requested.v1",
            "subject": str(id_),
            "sequence": 1,
            "time": iso(now()),
            "data": {"eventId": str(id_)},
        }
        voids.handler({"Records": [aws.record("tickets-voids", message)]}, context())
    assert sales.db.all("SELECT 1 FROM tickets WHERE status = 'VOID'") == []
