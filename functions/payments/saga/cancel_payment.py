"""CancelPayment: make sure that nothing more is charged for an order, or learn that it was paid."""

from functions.payments import cancelling, compensating, provider
from functions.payments.cancelling import Due
from functions.payments.database import database
from functions.payments.saga_models import Cancelled, OrderInput
from shared.clock import now
from shared.task import task


def cancel_payment(given: OrderInput) -> Cancelled:
    """Record, call, record; only after `cancelled` are the seats given back."""
    with database.transaction() as sql:
        step = cancelling.begin(sql, given.order_id, now())
        # An earlier run of the saga may have got so far, and failed after it.
        if compensating.has_begun(sql, given.order_id):
            return Cancelled(outcome="refunded")
    if not isinstance(step, Due):
        return step
    answer = cancelling.carry_out(provider.gateway_for(step.order), step)
    with database.transaction() as sql:
        return cancelling.record(sql, given.order_id, answer, now())


handler = task("payments", OrderInput, cancel_payment)
