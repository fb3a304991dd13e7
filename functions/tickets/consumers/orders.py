"""Queue tickets-orders: what payments says of orders, for the list of a buyer's orders."""

from functions.tickets import order_payments
from functions.tickets.database import database
from shared.consumer import Consumer, Message
from shared.contracts import OrderChanged
from shared.database import Sql

consumer = Consumer(database, "tickets-orders")


@consumer.on(OrderChanged)
def keep_payment(message: Message[OrderChanged], sql: Sql) -> None:
    """Keep how the order's payment stands, unless something newer is kept."""
    order_payments.take_over(sql, message.id, message.data, version=message.version, at=message.time)


handler = consumer.handler
