"""Queue events-tickets: what tickets says of stock, tickets sold and tickets used, for the sales figures."""

from functions.events import sales
from functions.events.database import database
from shared.consumer import Consumer, Message
from shared.contracts import (
    Contract,
    OrderIssued,
    OrderReleased,
    StockChanged,
    TicketCheckedIn,
    TicketsVoided,
)
from shared.database import Sql

consumer = Consumer(database, "events-tickets")


@consumer.on(OrderIssued, OrderReleased, TicketsVoided, TicketCheckedIn, StockChanged)
def count(message: Message[Contract], sql: Sql) -> None:
    """Add it to the figures of its event."""
    sales.take_over(sql, message)


handler = consumer.handler
