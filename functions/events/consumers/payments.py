"""Queue events-payments: what payments says of orders and their money, for the sales figures."""

from functions.events import sales
from functions.events.database import database
from shared.consumer import Consumer, Message
from shared.contracts import OrderChanged
from shared.database import Sql

consumer = Consumer(database, "events-payments")


@consumer.on(OrderChanged)
def count(message: Message[OrderChanged], sql: Sql) -> None:
    """Add it to the figures of its event; the message carries the whole order, its refunds included."""
    sales.take_over(sql, message)


handler = consumer.handler
