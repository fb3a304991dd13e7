"""payments-mail: an order shows what became of its mail."""

from functions.payments import fulfilment
from functions.payments.database import database
from shared.consumer import Consumer, Message
from shared.contracts import MailStatusChanged
from shared.database import Sql

TEMPLATES = ("order-confirmation", "order-cancelled")

consumer = Consumer(database, "payments-mail")


@consumer.on(MailStatusChanged)
def mailed(message: Message[MailStatusChanged], sql: Sql) -> None:
    """Only the mail that tells how the order ended counts; a mail about a declined card does not."""
    if message.data.order_id is not None and message.data.template in TEMPLATES:
        status = message.data.delivery_status or message.data.status
        mail_id = message.data.notification_id
        asked_at = message.data.asked_at or message.time  # None in a message from before that was told
        fulfilment.mailed(sql, message.data.order_id, mail_id, status, asked_at, message.time)


handler = consumer.handler
