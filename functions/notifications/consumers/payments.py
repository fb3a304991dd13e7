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
    mails.ask(sql, wanted.payment_failed(message.data), now())


@consumer.on(OrderRefunded)
def mail_refund(message: Message[OrderRefunded], sql: Sql) -> None:
    mails.ask(sql, wanted.order_refunded(message.data), now())


handler = consumer.handler
