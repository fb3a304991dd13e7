"""Saga task Reserve: verify that the order's seats are bound, and say what there is to pay."""

from functions.tickets import purchasing
from functions.tickets.database import database
from functions.tickets.models import Bound, Outcome, SagaInput
from shared.clock import now
from shared.task import task


def reserve(order: SagaInput) -> Bound | Outcome:
    """`bound` with everything Charge needs, or `gone` if there is nothing left to pay for."""
    with database.transaction() as sql:
        return purchasing.verify(sql, order.order_id, now())


handler = task("tickets", SagaInput, reserve)
