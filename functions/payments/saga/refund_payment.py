"""RefundPayment: give back the money of an order that got no tickets."""

from functions.payments import compensating, provider, refund_outcomes, refunding
from functions.payments.database import database
from functions.payments.saga_models import Refunded, RefundInput
from shared.clock import now
from shared.task import task


def refund_payment(given: RefundInput) -> Refunded:
    """Record, call, record; run again, it is the same refund."""
    with database.transaction() as sql:
        step = compensating.begin(sql, given.order_id, given.reason, now())
    if step is not None:
        order, refund = step
        answer = refunding.carry_out(provider.gateway_for(order), order, refund)
        with database.transaction() as sql:
            refund_outcomes.record(sql, refund.id, answer, now())
    return Refunded()


handler = task("payments", RefundInput, refund_payment)
