"""Saga task Notify: ask for the mail that tells the buyer how the purchase ended."""

from functions.tickets import notifying
from functions.tickets.database import database
from functions.tickets.models import NotifyInput, Outcome
from shared.task import task


def notify(order: NotifyInput) -> Outcome:
    """`notified`: one mail for one outcome, however often it is asked for."""
    with database.transaction() as sql:
        return notifying.notify(sql, order.order_id, order.outcome)


handler = task("tickets", NotifyInput, notify)
