"""Queue tickets-payments: what became of an order's money decides what becomes of its tickets."""

from functions.tickets import late_payments, qr_codes, releasing
from functions.tickets.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import LatePaymentReceived, OrderDisputed, OrderRefunded
from shared.database import Sql

consumer = Consumer(database, "tickets-payments")


@consumer.on(OrderRefunded)
def void_refunded(message: Message[OrderRefunded], sql: Sql) -> None:
    """Void the tickets that the money was for, all of the order's if everything was refunded."""
    refund = message.data
    releasing.void(sql, refund.order_id, None if refund.fully else refund.ticket_ids, "REFUNDED", now())


@consumer.on(OrderDisputed)
def void_disputed(message: Message[OrderDisputed], sql: Sql) -> None:
    """The buyer takes the money back through the bank: nobody comes in with these tickets, unless that is over."""
    releasing.void_disputed(sql, message.data.order_id, message.version, now())


@consumer.on_call(LatePaymentReceived)
def buy_again(message: Message[LatePaymentReceived]) -> None:
    """Seats for money that came late, if there are any. The message may come again: it is answered the same."""
    signer = qr_codes.signer()  # may ask for the keys: not while a transaction is open
    with database.transaction() as sql:
        late_payments.honour(sql, message.data.order_id, message.version, signer, now())


handler = consumer.handler
