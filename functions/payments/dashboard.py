"""Refunds made in a provider's dashboard that fail later: the money is here again, and the buyer's as before.

A provider names what failed by an id of its own, while a refund taken over from its dashboard is known here by its
amount alone, and may stand for several. So the sums decide: as much fails as the books are ahead of the provider.
"""

from datetime import datetime
from decimal import Decimal

from functions.payments import refund_outcomes
from functions.payments.gateways.gateway import RefundResult
from functions.payments.models import ZERO, Order, Refund, RefundStatus
from functions.payments.repository import orders, refunds
from shared.database import Sql


def came_back(
    sql: Sql, order: Order, total_refunded: Decimal, failed: RefundResult | None, at: datetime
) -> Order:
    """Let refunds of the dashboard's fail until the books are not ahead of the provider any more; the order after it.

    They may be behind it then, where a part of a refund did go back: `refund_outcomes.found_at_provider` takes that
    over. While a refund of ours is on its way the provider's total may include it: the order is marked, as there.

    Args:
        order: locked.
        total_refunded: what the provider says that it has given back.
        failed: what the provider says has failed; None if the order was marked and it is asked again.
    """
    if order.refunding_amount > ZERO:
        orders.mark_refunds(sql, order.id, unclear=True)
    else:
        ahead = order.refunded_amount - refunds.taken_by_bank(sql, order.id) - total_refunded
        for refund in _taken_over(sql, order, ahead):
            if ahead > ZERO:
                _fail(sql, order, refund, failed, at)
                ahead -= refund.amount
                failed = None  # its id is that of one refund
    now = orders.get(sql, order.id)
    assert now is not None
    return now


def _taken_over(sql: Sql, order: Order, amount: Decimal) -> list[Refund]:
    """The dashboard's refunds: those of this amount first, then the latest."""
    found = [refund for refund in refunds.of_order(sql, order.id) if refund.cause == refund_outcomes.PROVIDER]
    made = [refund for refund in reversed(found) if refund.status is RefundStatus.SUCCEEDED]
    return sorted(made, key=lambda refund: refund.amount != amount)


def _fail(sql: Sql, order: Order, refund: Refund, failed: RefundResult | None, at: datetime) -> None:
    answer = RefundResult(
        refund_id=failed.refund_id if failed else "",
        intent_id=order.payment_gateway_transaction_id,
        status="failed",
        amount=refund.amount,
        key=None,
        failure=failed.failure if failed else None,
    )
    refund_outcomes.record(sql, refund.id, answer, at)
