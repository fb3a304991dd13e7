"""payments-buyers: what auth says of its users, for the list of an event's orders."""

from functions.payments import buyers
from functions.payments.database import database
from shared.consumer import Consumer, Message
from shared.contracts import UserChanged, UserErased
from shared.database import Sql

consumer = Consumer(database, "payments-buyers")


@consumer.on(UserChanged)
def remember(message: Message[UserChanged], sql: Sql) -> None:
    """Keep address and names, unless ours are newer."""
    buyers.remember(sql, message.data, message.version)


@consumer.on(UserErased)
def erase(message: Message[UserErased], sql: Sql) -> None:
    """Forget the person, whatever may still arrive."""
    buyers.erase(sql, message.data.user_id, message.time)


handler = consumer.handler
