"""Queue tickets-payments: a refunded ticket is void, and its seat back on sale."""

from functions.tickets import releasing
from functions.tickets.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import OrderRefunded
from shared.database import Sql

consumer = Consumer(database, "tickets-payments")


@consumer.on(OrderRefunded)
def void_refunded(message: Message[OrderRefunded], sql: Sql) -> None:
    """Void the tickets that the money was for, all of the order's if everything was refunded."""
    refund = message.data
    releasing.void(sql, refund.order_id, None if refund.fully else refund.ticket_ids, now())


handler = consumer.handler
