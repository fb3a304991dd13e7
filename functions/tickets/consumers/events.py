"""Queue tickets-events: keep our copies of events in step with the events service."""

from functions.tickets import event_copies
from functions.tickets.database import database
from shared.consumer import Consumer, Message
from shared.contracts import EventCancelled, EventPublished, EventState, EventUpdated
from shared.database import Sql

consumer = Consumer(database, "tickets-events")


@consumer.on(EventPublished, EventUpdated, EventCancelled)
def keep_copy(message: Message[EventState], sql: Sql) -> None:
    """Take over the state that the message carries, unless ours is newer."""
    event_copies.take_over(sql, message.data)


handler = consumer.handler
