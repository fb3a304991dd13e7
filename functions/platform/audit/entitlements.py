"""Invariant 2: a paid order has exactly its tickets, active, and no other order has any. Payments and tickets agree."""

from collections import Counter
from typing import Any
from uuid import UUID

from functions.platform.audit.findings import Findings, Invariant, Scope
from functions.platform.audit.orders import UNDECIDED, Order
from functions.platform.audit.purchases import Purchase

WITH_TICKETS = ("PAID", "PARTIALLY_REFUNDED")


def judge(order: Order | None, purchase: Purchase | None, findings: Findings, scope: Scope) -> None:
    """An order at rest, as both services know it; None where a service does not."""
    if order is None:
        # Released before payments heard of it, or still being bound, it needs no order there.
        if purchase is not None and purchase.status == "ISSUED":
            _report(
                findings, "tickets were issued for an order that payments does not know", purchase.order_id
            )
        return
    if purchase is None:
        _report(findings, "an order that tickets does not know", order.id, status=order.status)
        return
    if order.items != purchase.wanted:
        _report(findings, "an order is for other tickets than its purchase", order.id)
    _judge_money(order, purchase, findings)
    _judge_time(order, findings, scope)
    if order.status in WITH_TICKETS:
        _judge_bought(order, purchase, findings)
    elif purchase.valid:
        _report(
            findings,
            "an order that is not paid has valid tickets",
            order.id,
            status=order.status,
            ticketIds=_texts(set(purchase.valid)),
        )


def _judge_money(order: Order, purchase: Purchase, findings: Findings) -> None:
    price = (order.total_amount, order.currency)
    if price != (purchase.total_amount, purchase.currency):
        findings.add(Invariant.MONEY, "an order's price is not its purchase's", orderId=order.id)


def _judge_time(order: Order, findings: Findings, scope: Scope) -> None:
    if order.status in UNDECIDED and order.pay_by <= scope.at_rest:
        findings.add(
            Invariant.LIMITS, "an order outlived its time to pay", orderId=order.id, status=order.status
        )


def _judge_bought(order: Order, purchase: Purchase, findings: Findings) -> None:
    """All of the order's tickets are valid but those that a refund names: money and tickets go together."""
    valid = set(purchase.valid)
    if refunded := valid & order.refunded:
        _report(findings, "a refunded ticket is valid", order.id, ticketIds=_texts(refunded))
    if more := Counter(purchase.valid.values()) - order.items:
        _report(
            findings,
            "a paid order has more tickets than it is for",
            order.id,
            ticketTypeIds=_texts(set(more)),
        )
    if missing := _missing(order, purchase):
        _report(
            findings,
            "a paid order lacks tickets",
            order.id,
            ticketTypeIds=_texts(set(missing)),
            purchaseStatus=purchase.status,
        )
    if order.shown is None or order.shown != valid:
        _report(findings, "the buyer is shown other tickets than there are", order.id)


def _missing(order: Order, purchase: Purchase) -> Counter[UUID]:
    """How many tickets, by type, are neither valid nor named by a refund."""
    if order.status == "PARTIALLY_REFUNDED" and order.has_failed_refund:
        return Counter()  # one that was for all that was left, and that the bank sent back: they are void
    gone = Counter(type_id for ticket_id, type_id in purchase.void.items() if ticket_id in order.named)
    return order.items - Counter(purchase.valid.values()) - gone


def _report(findings: Findings, what: str, order_id: UUID, **ids: Any) -> None:
    findings.add(Invariant.TICKETS, what, orderId=order_id, **ids)


def _texts(ids: set[UUID]) -> list[str]:
    return sorted(map(str, ids))
