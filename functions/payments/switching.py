"""A buyer changes providers: the first one's payment is cancelled before the second is asked for anything.

So that an order cannot be paid at both. Money that the first one has, or may still get, decides the order instead.
"""

from dataclasses import replace
from datetime import datetime

from functions.payments import cancelling, charging, settling
from functions.payments.gateways.gateway import CancelResult, PaymentGateway, PaymentOutcome
from functions.payments.repository import orders
from shared.database import Sql


def begin(sql: Sql, due: charging.Due) -> cancelling.Due:
    """What there is to cancel at the provider that the buyer leaves."""
    return cancelling.Due(due.order, charging.may_be_at_provider(sql, due.order))


def leave(gateway: PaymentGateway, leaving: cancelling.Due) -> CancelResult | None:
    """Cancel there, if there may be something. No transaction is open here.

    Raises:
        GatewayUnavailable, GatewayTimeout: try again.
    """
    return cancelling.carry_out(gateway, leaving)


def arrive(sql: Sql, due: charging.Due, left: CancelResult | None, at: datetime) -> charging.Due | None:
    """Let the order be paid at the other provider; None if the first has the money, or the order is over."""
    order = orders.lock(sql, due.order.id)
    assert order is not None
    if left is not None and (left.outcome == "paid" or left.payment.outcome is PaymentOutcome.PROCESSING):
        settling.apply(sql, order, left.payment, at, attempt=due.attempt)
        return None
    still = charging.due(sql, order, at)
    if still is None or still.attempt.id != due.attempt.id or not still.changes_provider:
        return still if still is not None and still.attempt.id == due.attempt.id else None
    order = orders.save(
        sql,
        replace(
            order,
            payment_method=due.attempt.payment_method,
            payment_gateway_transaction_id=None,
            payment_number=order.payment_number + 1,
        ),
        "PAYMENT_METHOD_CHANGED",
        at,
        attemptId=str(due.attempt.id),
    )
    return charging.Due(order, due.attempt)
