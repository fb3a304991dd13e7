"""payments-refunds: give back the money of recorded refunds."""

from functions.payments import provider, refunding
from functions.payments.database import database
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import RefundRequested

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
        refunding.record(sql, recorded.id, answer, now())


handler = consumer.handler
