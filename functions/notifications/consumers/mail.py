"""Queue mail: render it and send it."""

from functions.notifications import mails
from functions.notifications.database import database
from functions.notifications.gateways import ses
from shared.consumer import Consumer, Message
from shared.contracts import MailRequested

consumer = Consumer(database, "mail")


@consumer.on_call(MailRequested)
def send(message: Message[MailRequested]) -> None:
    """Send it, unless it has been sent; what fails now comes back."""
    mails.deliver(database, message.data, ses.send)


handler = consumer.handler
