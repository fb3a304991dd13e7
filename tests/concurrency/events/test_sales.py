"""Sales figures that are made anew while messages about sales arrive: none is lost, none is counted twice."""

import multiprocessing
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from functions.events import sales, sales_repository
from functions.events.database import database
from functions.events.jobs import rebuild_sales
from shared.database import Database
from tests.databases import TestDatabase
from tests.programme import Programme
from tests.sales_told import Told
from tests.stripe_server import eventually
from tests.support import context

STALLS = UUID(int=1)
ORDERS, TELLERS, REBUILDS = 40, 3, 15
_PROCESSES = multiprocessing.get_context("fork")


def a_sale(told: Told) -> None:
    """An order of two tickets, of which one is refunded."""
    order, first, second = uuid4(), uuid4(), uuid4()
    lines = {STALLS: (2, "10.00")}
    told.order(order, 2, "PENDING", lines)
    told.issued(order, 2, (first, STALLS), (second, STALLS))
    told.order(order, 3, "PAID", lines)
    told.voided(order, 3, first)
    told.order(order, 4, "PARTIALLY_REFUNDED", lines, refunds=(("10.00", {STALLS: "10.00"}),))


def at_once(*calls: Callable[[], Any]) -> None:
    """Each call in a process of its own, all begun together; each must end well."""
    database.reset()  # a connection is one process's own
    barrier = _PROCESSES.Barrier(len(calls))
    processes = [_PROCESSES.Process(target=_run, args=(call, barrier), daemon=True) for call in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0] * len(calls)


def _run(call: Callable[[], Any], barrier: Any) -> None:
    barrier.wait(60)
    call()


def figures(programme: Programme, event_id: str) -> dict[str, Any]:
    body: dict[str, Any] = programme.ask("event_sales", id=event_id, user=programme.organizer).body
    return body


def test_figures_that_are_made_anew_while_messages_arrive_are_right(programme: Programme) -> None:
    event_id = programme.draft()["id"]
    told = Told(programme.aws, event_id)
    told.stock(1, (STALLS, "Stalls", "10.00", 1000, 0, 0))
    told.deliver()
    for _ in range(ORDERS):
        a_sale(told)
    parts = [told.envelopes[start::TELLERS] for start in range(TELLERS)]

    at_once(
        *[lambda part=part: told.deliver(part) for part in parts],
        lambda: [rebuild_sales.handler({}, context()) for _ in range(REBUILDS)],
    )

    totals = figures(programme, event_id)["totals"]
    assert (totals["sold"], totals["voided"]) == (ORDERS, ORDERS)
    assert (totals["revenue"], totals["refunds"]) == (f"{ORDERS * 20}.00", f"{ORDERS * 10}.00")


def is_waiting(db: TestDatabase) -> bool:
    """Whether a statement of our service waits for somebody else's lock."""
    row = db.one(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return row is not None and row["n"] == 1


def test_a_message_waits_for_its_events_rebuild_and_another_events_message_does_not(
    programme: Programme,
) -> None:
    mine, other = (Told(programme.aws, programme.draft()["id"]) for _ in range(2))
    for told in (mine, other):
        told.stock(1, (uuid4(), "Stalls", "10.00", 10, 0, 0))
    rebuilding = Database("events")  # the operator's job: a process of its own

    with rebuilding.transaction() as sql:
        sales_repository.lock(sql, mine.event_id)
        other.deliver()  # does not wait
        arrival = threading.Thread(target=mine.deliver)
        arrival.start()
        eventually(lambda: is_waiting(programme.db))
        sales_repository.forget(sql, mine.event_id)
        sales.fold_all(sql, mine.event_id)
    arrival.join(30)
    rebuilding.reset()

    for told in (mine, other):
        assert figures(programme, str(told.event_id))["totals"]["available"] == 10


def test_control_without_the_lock_a_message_does_not_wait(programme: Programme) -> None:
    told = Told(programme.aws, programme.draft()["id"])
    told.stock(1, (uuid4(), "Stalls", "10.00", 10, 0, 0))
    rebuilding = Database("events")

    with rebuilding.transaction() as sql:
        sales_repository.forget(sql, told.event_id)
        told.deliver()
        assert not is_waiting(programme.db)
    rebuilding.reset()
