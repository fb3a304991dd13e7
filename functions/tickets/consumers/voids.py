"""Queue tickets-voids: void a cancelled event's tickets, a batch for each message."""

from functions.tickets import voiding
from functions.tickets.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import VoidsRequested
from shared.database import Sql

consumer = Consumer(database, "tickets-voids")


@consumer.on(VoidsRequested)
def void_batch(message: Message[VoidsRequested], sql: Sql) -> None:
    """The batch, what it tells and the command for the next one are one transaction."""
    voiding.next_batch(sql, message.data.event_id, now())


handler = consumer.handler
