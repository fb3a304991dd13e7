"""Queue notifications-payments: what a buyer should hear of a payment."""

from functions.notifications import mails, wanted
from functions.notifications.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import OrderRefunded, PaymentFailed
from shared.database import Sql

consumer = Consumer(database, "notifications-payments")


@consumer.on(PaymentFailed)
def mail_failure(message: Message[PaymentFailed], sql: Sql) -> None:
    """The buyer may try another card: one mail for each attempt."""
    mails.ask(sql, wanted.payment_failed(message.data), now())


@consumer.on(OrderRefunded)
def mail_refund(message: Message[OrderRefunded], sql: Sql) -> None:
    """The buyer gets money back: one mail for each refund."""
    mails.ask(sql, wanted.order_refunded(message.data), now())


handler = consumer.handler
