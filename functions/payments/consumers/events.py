"""payments-events: whose the events are, so that an organizer may look at orders before there is one."""

from functions.payments.database import database
from functions.payments.repository import event_owners
from shared.consumer import Consumer, Message
from shared.contracts import EventCancelled, EventPublished, EventState, EventUpdated
from shared.database import Sql

consumer = Consumer(database, "payments-events")


@consumer.on(EventPublished, EventUpdated, EventCancelled)
def keep_owner(message: Message[EventState], sql: Sql) -> None:
    """Keep whose event it is, unless what we have is newer."""
    event_owners.put(sql, message.data.event_id, message.data.organizer_id, message.data.version)


handler = consumer.handler
