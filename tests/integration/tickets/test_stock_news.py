"""How others hear of an event's stock: at once when its types change, within a minute of a sale or a hold."""

from typing import Any
from uuid import UUID

import pytest

from functions.tickets import stock_news
from functions.tickets.database import database
from functions.tickets.jobs import tell_stock
from functions.tickets.routes import create_ticket_type, delete_ticket_type, update_ticket_type
from shared.clock import now
from shared.contracts import StockChanged
from tests.cloud import Cloud
from tests.support import a_user, call, context
from tests.ticket_sales import Sales


def told(aws: Cloud, event_id: UUID) -> list[dict[str, Any]]:
    """The envelopes about this event's stock."""
    messages = aws.messages("tickets")
    return [m for m in messages if m["type"] == StockChanged.TYPE and m["subject"] == str(event_id)]


def counters(message: dict[str, Any]) -> list[tuple[int, int, int]]:
    return [(type_["capacity"], type_["sold"], type_["held"]) for type_ in message["data"]["types"]]


def run_job() -> int:
    return int(tell_stock.handler({}, context())["handled"])


def test_a_type_made_changed_or_deleted_is_told_of_at_once(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event_of_events()
    terms = {"name": "Stalls", "price": "49.50", "currency": "EUR", "quantityAvailable": 100}
    made = call(
        create_ticket_type.handler,
        "POST",
        "/api/tickets/types",
        user=sales.organizer,
        body={"eventId": str(event_id), **terms},
    )
    path = f"/api/tickets/types/{made.body['id']}"
    changed = {**terms, "quantityAvailable": 80}
    call(update_ticket_type.handler, "PUT", path, user=sales.organizer, body=changed)
    call(delete_ticket_type.handler, "DELETE", path, user=sales.organizer)

    messages = told(aws, event_id)

    assert [message["sequence"] for message in messages] == [1, 2, 3]
    assert [counters(message) for message in messages] == [[(100, 0, 0)], [(80, 0, 0)], []]
    type_ = messages[0]["data"]["types"][0]
    assert (type_["ticketTypeId"], type_["name"], type_["price"]) == (made.body["id"], "Stalls", "49.50")
    assert run_job() == 0


def test_what_is_sold_or_held_is_told_by_the_job_and_only_once(sales: Sales, aws: Cloud) -> None:
    event_id, quiet = sales.event(), sales.event()
    id = sales.type(event_id)
    sales.type(quiet)
    assert run_job() == 2  # nobody was told of them yet
    sales.issued(a_user(), event_id, {id: 2})
    sales.held(a_user(), event_id, {id: 3})
    assert len(told(aws, event_id)) == 1, "buying tells nobody"

    assert run_job() == 1
    assert run_job() == 0

    assert [counters(message) for message in told(aws, event_id)] == [[(100, 0, 0)], [(100, 2, 3)]]
    assert len(told(aws, quiet)) == 1


def test_one_run_tells_of_so_many_events_and_the_next_of_the_others(sales: Sales, aws: Cloud) -> None:
    sales.extension.parameters["stock_events_per_run"] = "2"
    events = [sales.event() for _ in range(3)]
    for event_id in events:
        sales.type(event_id)

    assert [run_job(), run_job(), run_job()] == [2, 1, 0]
    assert all(told(aws, event_id) for event_id in events)


def test_an_event_whose_types_are_told_of_twice_at_once_has_its_messages_in_order(
    sales: Sales, aws: Cloud
) -> None:
    event_id = sales.event()
    sales.type(event_id)
    with database.transaction() as sql:
        stock_news.tell(sql, event_id, now())
        stock_news.tell(sql, event_id, now())

    assert [message["sequence"] for message in told(aws, event_id)] == [1, 2]


def test_a_change_that_is_undone_is_not_told(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    sales.type(event_id)
    with pytest.raises(RuntimeError), database.transaction() as sql:
        stock_news.tell(sql, event_id, now())
        raise RuntimeError

    assert told(aws, event_id) == []
