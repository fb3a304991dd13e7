"""Saga task Release: put the order's seats back on sale, and void its tickets if it has any."""

from functions.tickets import releasing
from functions.tickets.database import database
from functions.tickets.models import Outcome, SagaInput
from shared.clock import now
from shared.task import task


def release(order: SagaInput) -> Outcome:
    """`released`, however often it is asked for."""
    with database.transaction() as sql:
        return releasing.release(sql, order.order_id, now())


handler = task("tickets", SagaInput, release)
