"""SQL of payment_transactions: attempts to take an order's money, and what the provider answered."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from functions.payments.models import Attempt, AttemptStatus, Order, PaymentInProgress
from shared.database import Refused, Row, Sql, record


def create(sql: Sql, attempt_id: UUID, order: Order, method: str, token: str | None, at: datetime) -> None:
    """Record that an attempt is about to be made.

    Raises:
        PaymentInProgress: one is open already; a unique index says so, whoever else was checking at the same time.
    """
    try:
        sql.run(
            """
            INSERT INTO payment_transactions (id, order_id, kind, payment_method, payment_token, amount, currency,
                                              status, asks, created_at, updated_at)
            VALUES (%(id)s, %(order_id)s, 'ATTEMPT', %(method)s, %(token)s, %(amount)s, %(currency)s, 'OPEN',
                    0, %(at)s, %(at)s)
            """,
            id=attempt_id,
            order_id=order.id,
            method=method,
            token=token,
            amount=order.total_amount,
            currency=order.currency,
            at=at,
        )
    except Refused as refused:
        if refused.constraint == "payment_transactions_one_open_attempt":
            raise PaymentInProgress() from refused
        raise


def get(sql: Sql, attempt_id: UUID) -> Attempt | None:
    """An attempt."""
    row = sql.one(
        "SELECT * FROM payment_transactions WHERE id = %(id)s AND kind = 'ATTEMPT'",
        id=attempt_id,
    )
    return _attempt(row)


def open_of(sql: Sql, order_id: UUID) -> Attempt | None:
    """The attempt that is being carried out for this order; the unique index allows one."""
    row = sql.one(
        "SELECT * FROM payment_transactions WHERE order_id = %(id)s AND kind = 'ATTEMPT' AND status = 'OPEN'",
        id=order_id,
    )
    return _attempt(row)


def last_of(sql: Sql, order_id: UUID) -> UUID:
    """The latest attempt of an order that has had one."""
    row = sql.one(
        """
        SELECT id FROM payment_transactions WHERE order_id = %(id)s AND kind = 'ATTEMPT'
         ORDER BY created_at DESC LIMIT 1
        """,
        id=order_id,
    )
    assert row is not None
    last: UUID = row["id"]
    return last


def supersede(sql: Sql, order_id: UUID, at: datetime) -> None:
    """The buyer pays in another way than by the action that was due."""
    sql.run(
        """
        UPDATE payment_transactions SET status = 'SUPERSEDED', updated_at = %(at)s
         WHERE order_id = %(id)s AND kind = 'ATTEMPT' AND status = 'ACTION_REQUIRED'
        """,
        id=order_id,
        at=at,
    )


def were_made(sql: Sql, order_id: UUID, method: str) -> bool:
    """Whether anything may have been asked of this provider for this order."""
    row = sql.one(
        """
        SELECT 1 AS made FROM payment_transactions
         WHERE order_id = %(id)s AND kind = 'ATTEMPT' AND payment_method = %(method)s
           AND (payment_token IS NOT NULL OR payment_method = 'paypal') AND asks > 0 LIMIT 1
        """,
        id=order_id,
        method=method,
    )
    return row is not None


def count_ask(sql: Sql, attempt_id: UUID, number: int) -> None:
    """The provider is about to be asked for this attempt (1), or was not asked after all (-1)."""
    sql.run(
        "UPDATE payment_transactions SET asks = asks + %(number)s WHERE id = %(id)s",
        id=attempt_id,
        number=number,
    )


def close(
    sql: Sql,
    attempt_id: UUID,
    status: AttemptStatus,
    at: datetime,
    *,
    intent_id: str | None = None,
    answer: dict[str, Any] | None = None,
) -> bool:
    """Say what became of an open attempt; False if that was said before."""
    closed = sql.run(
        """
        UPDATE payment_transactions
           SET status = %(status)s, gateway_transaction_id = COALESCE(%(intent_id)s, gateway_transaction_id),
               gateway_response = COALESCE(%(answer)s, gateway_response), updated_at = %(at)s
         WHERE id = %(id)s AND status = 'OPEN'
        """,
        id=attempt_id,
        status=status,
        intent_id=intent_id,
        answer=None if answer is None else json.dumps(answer),
        at=at,
    )
    return closed == 1


def take_unfinished(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[Row]:
    """Open attempts (id, order_id) that nobody touched for so long; marked as looked at.

    Two runs at the same time take different ones.
    """
    return sql.all(
        """
        UPDATE payment_transactions SET updated_at = %(at)s
         WHERE id IN (
            SELECT id FROM payment_transactions
             WHERE kind = 'ATTEMPT' AND status = 'OPEN'
               AND updated_at <= %(at)s - make_interval(secs => %(seconds)s)
             ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id, order_id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )


def settle(sql: Sql, order_id: UUID, status: AttemptStatus, at: datetime) -> None:
    """Give this end to whatever attempt of the order has none yet."""
    sql.run(
        """
        UPDATE payment_transactions SET status = %(status)s, updated_at = %(at)s
         WHERE order_id = %(id)s AND kind = 'ATTEMPT' AND status IN ('OPEN', 'ACTION_REQUIRED', 'PROCESSING')
        """,
        id=order_id,
        status=status,
        at=at,
    )


def _attempt(row: Row | None) -> Attempt | None:
    if row is None:
        return None
    return record(Attempt, row | {"status": AttemptStatus(row["status"])})
