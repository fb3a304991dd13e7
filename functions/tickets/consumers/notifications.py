"""Queue tickets-notifications: an order shows what became of the mail with its tickets."""

from functions.tickets import deliveries
from functions.tickets.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import MailStatusChanged
from shared.database import Sql

consumer = Consumer(database, "tickets-notifications")


@consumer.on(MailStatusChanged)
def mailed(message: Message[MailStatusChanged], sql: Sql) -> None:
    """Sent, delivered, bounced or given up; mails without tickets are passed over."""
    deliveries.changed(sql, message.data, message.time, now())


handler = consumer.handler
