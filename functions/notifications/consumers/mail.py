"""Queue mail: render it and send it."""

from functions.notifications import mails, providers
from functions.notifications.database import database
from shared.consumer import Consumer, Message
from shared.contracts import MailRequested

consumer = Consumer(database, "mail")


@consumer.on_call(MailRequested)
def send(message: Message[MailRequested]) -> None:
    """Send it, unless it has been sent; what fails now comes back."""
    mails.deliver(database, message.data, providers.send)


handler = consumer.handler
