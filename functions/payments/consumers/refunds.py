"""payments-refunds: give back the money of recorded refunds, and of orders that were paid twice."""

from functions.payments import provider, refund_outcomes, refunding, second_payments
from functions.payments.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import RefundRequested, SecondPaymentFound

consumer = Consumer(database, "payments-refunds")


@consumer.on_call(RefundRequested)
def refund(message: Message[RefundRequested]) -> None:
    """Call the provider and record. The message may come again at any point: the refund keeps its key."""
    with database.transaction() as sql:
        due = refunding.due(sql, message.data.refund_id)
    if due is None:
        return
    order, recorded = due
    answer = refunding.carry_out(provider.gateway_for(order), order, recorded)
    with database.transaction() as sql:
        refund_outcomes.record(sql, recorded.id, answer, now())


@consumer.on_call(SecondPaymentFound)
def refund_second_payment(message: Message[SecondPaymentFound]) -> None:
    """The same for a payment that should not be; it keeps its key, too."""
    with database.transaction() as sql:
        due = second_payments.due(sql, message.data.provider, message.data.intent_id)
    if due is None:
        return
    status = second_payments.carry_out(provider.gateway_at(due.provider), due)
    with database.transaction() as sql:
        second_payments.record(sql, due, status, now())


handler = consumer.handler
