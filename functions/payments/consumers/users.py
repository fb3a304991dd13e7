"""Queue payments-users: a user wants to see what is held, or to be forgotten."""

from functions.payments import people
from functions.payments.database import database
from shared import privacy
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import ExportRequested, UserErased
from shared.database import Sql

consumer = Consumer(database, "payments-users")


@consumer.on_call(ExportRequested)
def export(message: Message[ExportRequested]) -> None:
    """Write what is held."""
    privacy.export(database, message.data, people.held)


@consumer.on(UserErased)
def erase(message: Message[UserErased], sql: Sql) -> None:
    """Forget the user."""
    people.erase(sql, message.data.user_id, now())


handler = consumer.handler
