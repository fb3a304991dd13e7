"""Invariant 5: nothing outlives its time, neither seats nor orders, refunds, messages or webhooks.

What a sweep takes up again is touched by it each time, so that age is counted from the beginning.
"""

from datetime import timedelta

from functions.platform import settings
from functions.platform.audit.findings import Findings, Invariant, Scope
from shared.database import Row, Sql

# A hold's time is over for buyers at once; the sweep that says so of the row comes each minute.
SWEEP = timedelta(minutes=3)
# Longer than notifications tries (its setting mail_give_up_hours), with the longest pause between two tries.
MAIL_GIVEN_UP = timedelta(hours=26)


def judge_outbox(sql: Sql, service: str, scope: Scope, findings: Findings) -> None:
    """Messages that never left."""
    rows = sql.all(
        """
        SELECT message_id AS "messageId", type, subject FROM outbox
         WHERE published_at IS NULL AND created_at <= %(before)s ORDER BY id LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=findings.limit,
    )
    _report(findings, "a message was not published", [{"service": service, **row} for row in rows])


def judge_tickets(sql: Sql, scope: Scope, findings: Findings) -> None:
    """Holds, purchases, and events that were called off."""
    _report(findings, "a hold outlived its limit", _holds(sql, scope, findings.limit))
    _report(findings, "a purchase outlived its time to pay", _bound(sql, scope, findings.limit))
    _report(findings, "a buyer was not told how the purchase ended", _untold(sql, scope, findings.limit))
    _report(
        findings, "the tickets of a cancelled event are not void", _not_voided(sql, scope, findings.limit)
    )


def judge_payments(sql: Sql, scope: Scope, findings: Findings) -> None:
    """Attempts, refunds and webhooks without an end."""
    _report(findings, "a payment attempt has no outcome", _attempts(sql, scope, findings.limit))
    _report(findings, "a refund has no answer", _refunds(sql, scope, findings.limit))
    _report(findings, "a second payment did not go back", _second_payments(sql, scope, findings.limit))
    _report(findings, "a webhook was not handled", _webhooks(sql, scope, findings.limit))


def judge_mails(sql: Sql, scope: Scope, findings: Findings) -> None:
    """Mails that are neither sent nor given up."""
    rows = sql.all(
        """
        SELECT id AS "notificationId", split_part(mail_key, ':', 1) AS template, attempts FROM notifications
         WHERE status = 'PENDING' AND (created_at <= %(given_up)s OR due_at <= %(due)s)
         ORDER BY due_at LIMIT %(limit)s
        """,
        given_up=scope.limit(MAIL_GIVEN_UP),
        due=scope.at_rest,
        limit=findings.limit,
    )
    _report(findings, "a mail is neither sent nor given up", rows)


def _report(findings: Findings, what: str, rows: list[Row]) -> None:
    findings.add_rows(Invariant.LIMITS, what, rows)


def _holds(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    return sql.all(
        """
        SELECT DISTINCT reservation_id AS "reservationId", reserved_until AS "reservedUntil"
          FROM ticket_reservations
         WHERE status = 'HELD' AND reserved_until <= %(before)s ORDER BY reserved_until LIMIT %(limit)s
        """,
        before=min(scope.at_rest, scope.at - SWEEP),
        limit=limit,
    )


def _bound(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    return sql.all(
        """
        SELECT order_id AS "orderId", pay_by AS "payBy" FROM purchases
         WHERE status = 'BOUND' AND pay_by <= %(before)s ORDER BY pay_by LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=limit,
    )


def _untold(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    return sql.all(
        """
        SELECT p.order_id AS "orderId", p.status FROM purchases p
         WHERE p.notified_outcome IS NULL AND p.status <> 'BOUND'
           AND (SELECT max(e.created_at) FROM purchase_events e WHERE e.order_id = p.order_id) <= %(before)s
         LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=limit,
    )


def _not_voided(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    """Events that were called off and make no progress, or are said to be done and have valid tickets."""
    return sql.all(
        """
        SELECT e.event_id AS "eventId" FROM event_copies e
         WHERE e.status = 'CANCELLED'
           AND ((e.voided_at IS NULL AND e.refreshed_at <= %(before)s)
                OR (e.voided_at <= %(before)s AND EXISTS (
                    SELECT FROM tickets k WHERE k.event_id = e.event_id AND k.status <> 'VOID')))
         LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=limit,
    )


def _attempts(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    return sql.all(
        """
        SELECT id AS "attemptId", order_id AS "orderId" FROM payment_transactions
         WHERE kind = 'ATTEMPT' AND status = 'OPEN' AND created_at <= %(before)s LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=limit,
    )


def _refunds(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    """Those that the provider has not answered, and those that the bank has not decided (the provider knows them)."""
    return sql.all(
        """
        SELECT id AS "refundId", order_id AS "orderId" FROM refunds
         WHERE status = 'REQUESTED'
           AND created_at <= CASE WHEN gateway_refund_id IS NULL THEN %(unanswered)s::timestamptz
                                  ELSE %(undecided)s END
         LIMIT %(limit)s
        """,
        unanswered=scope.limit(timedelta(hours=settings.REFUND_HOURS())),
        undecided=scope.limit(timedelta(days=settings.REFUND_DAYS())),
        limit=limit,
    )


def _second_payments(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    """Those that the provider has not given back, and those that it never will: until an operator says it is done."""
    return sql.all(
        """
        SELECT order_id AS "orderId", provider, intent_id AS "paymentId" FROM second_payments
         WHERE (status = 'REQUESTED' AND created_at <= %(unanswered)s)
            OR (status = 'FAILED' AND created_at <= %(at_rest)s AND NOT order_id = ANY(%(paid_back)s))
         ORDER BY created_at DESC LIMIT %(limit)s
        """,
        unanswered=scope.limit(timedelta(hours=settings.REFUND_HOURS())),
        at_rest=scope.at_rest,
        paid_back=scope.paid_back,
        limit=limit,
    )


def _webhooks(sql: Sql, scope: Scope, limit: int) -> list[Row]:
    return sql.all(
        """
        SELECT provider, event_id AS "webhookId", type FROM webhook_events
         WHERE handled_at IS NULL AND received_at <= %(before)s LIMIT %(limit)s
        """,
        before=scope.at_rest,
        limit=limit,
    )
