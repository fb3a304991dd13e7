"""Sales figures whose tables were lost are made of the log alone."""

from typing import Any
from uuid import uuid4

from functions.events.jobs import rebuild_sales
from tests.programme import Programme
from tests.sales_told import Told
from tests.support import context

TABLES = "sales_events, sales_types, sales_orders, sales_tickets, sales_releases"


def figures(programme: Programme, event_id: str) -> dict[str, Any]:
    body: dict[str, Any] = programme.ask("event_sales", id=event_id, user=programme.organizer).body
    return body


def test_of_tables_that_are_empty_the_log_makes_the_same_figures(programme: Programme) -> None:
    event_id, order, stalls = programme.draft()["id"], uuid4(), uuid4()
    told = Told(programme.aws, event_id)
    told.stock(1, (stalls, "Stalls", "10.00", 100, 2, 0))
    told.order(order, 2, "PAID", {stalls: (2, "10.00")})
    told.issued(order, 2, (uuid4(), stalls), (uuid4(), stalls))
    told.deliver()
    before = figures(programme, event_id)
    programme.db.run(f"TRUNCATE {TABLES}")

    rebuild_sales.handler({}, context())

    assert figures(programme, event_id) == before
    assert before["totals"]["sold"] == 2
