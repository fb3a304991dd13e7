"""Queue tickets-events: keep our copies of events in step with the events service."""

from functions.tickets import event_copies, voiding
from functions.tickets.database import database
from shared.consumer import Consumer, Message
from shared.contracts import EventCancelled, EventPublished, EventState, EventUpdated
from shared.database import Sql

consumer = Consumer(database, "tickets-events")


@consumer.on(EventPublished, EventUpdated)
def keep_copy(message: Message[EventState], sql: Sql) -> None:
    """Take over the state that the message carries, unless ours is newer."""
    event_copies.take_over(sql, message.data)


@consumer.on(EventCancelled)
def call_off(message: Message[EventCancelled], sql: Sql) -> None:
    """Sales stop with this transaction; tickets are voided in batches that follow it."""
    event_copies.take_over(sql, message.data)
    voiding.begin(sql, message.data.event_id, message.data.reason)


handler = consumer.handler
