"""Invariant 3, however long ago: money that bought nothing goes back, and is named until it has, whatever way."""

from functions.platform.audit.findings import Findings, Invariant, Scope
from shared.database import Row, Sql


def judge(sql: Sql, scope: Scope, findings: Findings) -> None:
    """Orders of payments that have money, and neither seats nor a refund under way. They are open until it is gone."""
    for row in _orders(sql, scope, findings.limit):
        if row["undecided"]:
            what, invariant = "money waits for seats, or to go back", Invariant.LIMITS
        else:
            what, invariant = "money of an order without tickets has not gone back", Invariant.MONEY
        findings.add(invariant, what, orderId=row["id"])


def _orders(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    """The newest ones; `undecided` if nobody has said yet whether the money is to buy its seats or to go back.

    One that was bought is among them if a refund failed, and it has nothing but void tickets, or one of that refund
    that is void and that no other refund is for.
    """
    return sql.all(
        """
        WITH without_seats AS (
            SELECT id FROM orders
             WHERE captured_amount > 0
               AND (payment_status = 'CANCELLED' OR (payment_status = 'DISPUTED' AND dispute = 'WON'))
            UNION
            SELECT o.id FROM refunds r JOIN orders o ON o.id = r.order_id
             WHERE r.status = 'FAILED' AND o.payment_status IN ('PAID', 'PARTIALLY_REFUNDED')
               AND (NOT EXISTS (SELECT FROM jsonb_array_elements(o.tickets) k WHERE k ->> 'status' <> 'VOID')
                    OR EXISTS (
                        SELECT FROM jsonb_array_elements(o.tickets) k
                         WHERE k ->> 'status' = 'VOID' AND (k ->> 'id')::uuid = ANY(r.ticket_ids)
                           AND NOT EXISTS (SELECT FROM refunds other
                                            WHERE other.order_id = o.id AND other.status <> 'FAILED'
                                              AND (k ->> 'id')::uuid = ANY(other.ticket_ids)))))
        SELECT o.id, NOT EXISTS (
                   SELECT FROM refunds r
                    WHERE r.order_id = o.id
                      AND (r.cause = 'LATE_PAYMENT' OR (o.payment_status <> 'DISPUTED' AND (
                           r.status = 'FAILED' OR r.cause IN ('COMPENSATION', 'EVENT_CANCELLED'))))
               ) AS undecided
          FROM without_seats JOIN orders o USING (id)
         WHERE o.captured_amount > o.refunded_amount + o.refunding_amount
           AND NOT o.id = ANY(%(paid_back)s)
           AND NOT EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id AND e.created_at > %(at_rest)s)
         ORDER BY o.updated_at DESC LIMIT %(limit)s
        """,
        paid_back=scope.paid_back,
        at_rest=scope.at_rest,
        limit=limit,
    )
