"""Invariant 3: what is left at the provider is what the orders say, order by order and in both directions."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from functions.platform.audit.findings import Findings, Invariant, Scope
from functions.platform.audit.gateways import Payment, Takings
from functions.platform.audit.orders import Order

ZERO = Decimal("0.00")


def judge(
    orders: dict[UUID, Order], known: Collection[UUID], takings: Takings, findings: Findings, scope: Scope
) -> None:
    """Compare.

    Args:
        orders: those at rest.
        known: those that there are, whether at rest or not.
        takings: what the providers listed; payments of orders that claim money and were not among it are asked for.
    """
    _ask_for_the_rest(orders, takings)
    of_order: dict[UUID | None, dict[str, Payment]] = defaultdict(dict)
    for payment in takings.payments:
        of_order[payment.order_id][payment.id] = payment  # read twice, the later one counts
    for order_id, payments in of_order.items():
        if order_id is None or order_id not in known:
            _report_unknown(payments.values(), findings, scope)
    for order in orders.values():
        there = of_order.get(order.id, {}).values()
        # If not everything could be read, an order's payment may be among what was not.
        if (there or takings.complete) and all(payment.changed_at <= scope.at_rest for payment in there):
            _compare(order, sum((payment.left for payment in there), ZERO), findings)
            if any(payment.left != ZERO and payment.currency != order.currency for payment in there):
                what = "a payment is in another currency than its order"
                findings.add(Invariant.MONEY, what, orderId=order.id, currency=order.currency)


def _ask_for_the_rest(orders: dict[UUID, Order], takings: Takings) -> None:
    listed = {payment.id for payment in takings.payments}
    missing: dict[str, list[str]] = defaultdict(list)
    for order in orders.values():
        if order.captured_amount > ZERO and order.payment_id is not None and order.payment_id not in listed:
            missing[order.provider].append(order.payment_id)
    for provider, payment_ids in missing.items():
        takings.add(provider, payment_ids)


def _compare(order: Order, there: Decimal, findings: Findings) -> None:
    """A refund on its way may have been made there, or not."""
    most = order.captured_amount - order.refunded_amount
    least = most - order.refunding_amount
    if there < least:
        what = "an order claims money that the provider does not have"
    elif there > most:
        what = "the provider has money that its order does not know of"
    else:
        return
    findings.add(Invariant.MONEY, what, orderId=order.id, order=most, provider=there)


def _report_unknown(payments: Collection[Payment], findings: Findings, scope: Scope) -> None:
    for payment in payments:
        if payment.left != ZERO and payment.changed_at <= scope.at_rest:
            findings.add(
                Invariant.MONEY,
                "the provider has money that no order knows of",
                provider=payment.provider,
                paymentId=payment.id,
                orderId=payment.order_id,
                left=payment.left,
            )
