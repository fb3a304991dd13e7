"""By hand: make what a buyer's list of orders shows of payments anew, from the messages that told of them."""

from typing import Any

from functions.tickets import order_payments
from functions.tickets.database import database
from shared.job import job


def rebuild_orders(_event: dict[str, Any]) -> int:
    """The number of orders; may run while messages arrive."""
    return order_payments.rebuild(database)


handler = job("tickets", rebuild_orders)
