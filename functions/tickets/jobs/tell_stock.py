"""Every minute: tell of events of which something was sold, held or given back."""

from typing import Any

from functions.tickets import stock_news
from functions.tickets.database import database
from functions.tickets.settings import STOCK_EVENTS_PER_RUN
from shared.clock import now
from shared.job import job


def tell_stock(_event: dict[str, Any]) -> int:
    """The number of events told of."""
    with database.transaction() as sql:
        return stock_news.tell_changed(sql, now(), STOCK_EVENTS_PER_RUN())


handler = job("tickets", tell_stock)
