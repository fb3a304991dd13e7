"""SQL of orders, order_items and order_events.

A changed order is written whole, in one statement that also appends the event: neither can be had without the other.
Whoever keeps a list of orders is told here, too, so that no caller can forget it.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from functions.payments.models import Buyer, Dispute, Order, PaymentStatus
from functions.payments.repository import order_messages
from functions.payments.saga_models import Reservation
from shared.database import Row, Sql, record

_WILDCARD, _LITERALLY = r"([\\%_])", r"\\\1"  # of LIKE


class Stale(Exception):
    """The order was written by someone else since it was read: read it again."""


@dataclass(frozen=True)
class Filter:
    """Which of an event's orders to list; `before` is the position after which the page begins.

    `q` is part of an order's number, of its buyer's name or address, or the buyer's id; None for all.
    """

    event_id: UUID
    status: PaymentStatus | None
    q: str | None
    before: tuple[datetime, UUID] | None
    limit: int


def create(sql: Sql, reservation: Reservation, attempt_id: UUID | None, at: datetime) -> bool:
    """Record an order, its lines, its first attempt and its first event; False if it was begun or cancelled before.

    Safe because the insert into order_starts decides, by its primary key, who was first: this, an earlier run of the
    same task, or CancelPayment.
    """
    created = sql.run(
        """
        WITH started AS (
            INSERT INTO order_starts (order_id, cancelled, created_at) VALUES (%(id)s, FALSE, %(at)s)
            ON CONFLICT DO NOTHING RETURNING order_id
        ), new_order AS (
            INSERT INTO orders (id, user_id, event_id, organizer_id, order_number, total_amount, currency,
                                payment_method, pay_by, created_at, updated_at)
            SELECT order_id, %(user_id)s, %(event_id)s, %(organizer_id)s, %(order_number)s, %(total)s, %(currency)s,
                   %(method)s, %(pay_by)s, %(at)s, %(at)s
              FROM started
            RETURNING id
        ), new_items AS (
            INSERT INTO order_items (order_id, ticket_type_id, name, quantity, unit_price, total_price)
            SELECT new_order.id, item.ticket_type_id, item.name, item.quantity, item.unit_price, item.total_price
              FROM new_order, jsonb_to_recordset(%(items)s::jsonb) AS item (ticket_type_id UUID, name TEXT,
                   quantity INTEGER, unit_price DECIMAL, total_price DECIMAL)
        ), new_attempt AS (
            INSERT INTO payment_transactions (id, order_id, kind, payment_method, payment_token, amount, currency,
                                              status, asks, created_at, updated_at)
            SELECT %(attempt_id)s, new_order.id, 'ATTEMPT', %(method)s, %(token)s, %(total)s, %(currency)s, 'OPEN',
                   0, %(at)s, %(at)s
              FROM new_order WHERE %(attempt_id)s::uuid IS NOT NULL
        )
        INSERT INTO order_events (order_id, version, type, data, created_at)
        SELECT new_order.id, 1, 'ORDER_CREATED', %(data)s, %(at)s FROM new_order
        """,
        id=reservation.order_id,
        user_id=reservation.user_id,
        event_id=reservation.event_id,
        organizer_id=reservation.organizer_id,
        order_number=reservation.order_number,
        total=reservation.total_amount,
        currency=reservation.currency,
        method=reservation.payment_method.type,
        token=reservation.payment_method.token,
        pay_by=reservation.pay_by,
        items=json.dumps([item.model_dump(mode="json") for item in reservation.items]),
        attempt_id=attempt_id,
        data={
            "paymentStatus": PaymentStatus.PENDING,
            "totalAmount": str(reservation.total_amount),
            "attemptId": str(attempt_id) if attempt_id else None,
        },
        at=at,
    )
    if created == 1:
        order_messages.tell_created(sql, reservation, at)
    return created == 1


def refuse_start(sql: Sql, order_id: UUID, at: datetime) -> bool:
    """Make sure that an order nobody has recorded never will be; False if it has been begun meanwhile."""
    taken = sql.run(
        """
        INSERT INTO order_starts (order_id, cancelled, created_at) VALUES (%(id)s, TRUE, %(at)s)
        ON CONFLICT (order_id) DO UPDATE SET cancelled = TRUE WHERE order_starts.cancelled
        """,
        id=order_id,
        at=at,
    )
    return taken == 1


def get(sql: Sql, order_id: UUID) -> Order | None:
    """The order as it is, for looking only."""
    return _order(sql.one("SELECT * FROM orders WHERE id = %(id)s", id=order_id))


def lock(sql: Sql, order_id: UUID) -> Order | None:
    """The order, held until the transaction ends: whoever changes it does so after whoever came first."""
    return _order(sql.one("SELECT * FROM orders WHERE id = %(id)s FOR UPDATE", id=order_id))


def by_intent(sql: Sql, intent_id: str) -> Order | None:
    """The order that the provider's payment belongs to, for looking only."""
    row = sql.one(
        "SELECT * FROM orders WHERE payment_gateway_transaction_id = %(intent_id)s", intent_id=intent_id
    )
    return _order(row)


def save(sql: Sql, order: Order, type_: str, at: datetime, **data: Any) -> Order:
    """Write a changed copy of a locked order, bump its version and append the event of that version.

    If it shows another status than before, or other amounts, `OrderChanged` is published.

    Args:
        type_: what happened, e.g. `PAID`.
        data: ids, amounts and states that tell more of it; no personal data.

    What the buyer was to do is forgotten with the state in which it was due.

    Raises:
        Stale: the order was not locked, and was changed since.
    """
    if order.payment_status is not PaymentStatus.REQUIRES_ACTION:
        order = replace(order, client_secret=None, approval_url=None)
    before = sql.one(
        """
        WITH before AS (
            SELECT * FROM orders WHERE id = %(id)s
        ), changed AS (
            UPDATE orders
               SET payment_status = %(payment_status)s, payment_method = %(payment_method)s,
                   payment_gateway_transaction_id = %(payment_gateway_transaction_id)s,
                   client_secret = %(client_secret)s, approval_url = %(approval_url)s,
                   payment_number = %(payment_number)s, failure_code = %(failure_code)s,
                   failure_message = %(failure_message)s, captured_amount = %(captured_amount)s,
                   refunding_amount = %(refunding_amount)s, refunded_amount = %(refunded_amount)s,
                   cancel_requested_at = %(cancel_requested_at)s, tickets = %(tickets_json)s::jsonb,
                   released_at = %(released_at)s, pay_by = %(pay_by)s, mail_status = %(mail_status)s,
                   mail_id = %(mail_id)s, mail_asked_at = %(mail_asked_at)s,
                   tickets_version = %(tickets_version)s, dispute = %(dispute)s, version = version + 1,
                   updated_at = %(at)s
             WHERE id = %(id)s AND version = %(version)s
            RETURNING id, version
        ), appended AS (
            INSERT INTO order_events (order_id, version, type, data, created_at)
            SELECT id, version, %(type)s, %(data)s, %(at)s FROM changed
        )
        SELECT before.* FROM before JOIN changed USING (id)
        """,
        **asdict(order),
        tickets_json=None if order.tickets is None else json.dumps(order.tickets),
        type=type_,
        data=_state(order) | data,
        at=at,
    )
    if before is None:
        raise Stale(f"order {order.id} is past version {order.version}")
    saved = replace(order, version=order.version + 1)
    order_messages.tell_changed(sql, _existing(before), saved)
    return saved


def mark_refunds(sql: Sql, order_id: UUID, *, unclear: bool) -> None:
    """Say whether the provider may have given back more than is known here; nothing has happened to the order."""
    sql.run("UPDATE orders SET refunds_unclear = %(unclear)s WHERE id = %(id)s", id=order_id, unclear=unclear)


def note_tickets_version(sql: Sql, order_id: UUID, version: int) -> None:
    """The tickets are as they were in this version of the purchase, too: older news of them change nothing any more."""
    sql.run("UPDATE orders SET tickets_version = %(version)s WHERE id = %(id)s", id=order_id, version=version)


def items(sql: Sql, order_id: UUID) -> list[Row]:
    """The lines of an order."""
    return sql.all(
        """
        SELECT ticket_type_id, name, quantity, unit_price, total_price FROM order_items
         WHERE order_id = %(id)s ORDER BY name, id
        """,
        id=order_id,
    )


def history(sql: Sql, order_id: UUID) -> list[Row]:
    """What happened to an order, oldest first."""
    return sql.all(
        "SELECT type, data, created_at FROM order_events WHERE order_id = %(id)s ORDER BY version",
        id=order_id,
    )


def voided_tickets(sql: Sql, order_id: UUID, version: int) -> set[str]:
    """The tickets that were said to be void by news of a later version of the purchase than this."""
    rows = sql.all(
        """
        SELECT DISTINCT jsonb_array_elements_text(data -> 'ticketIds') AS id FROM order_events
         WHERE order_id = %(id)s AND type = 'TICKETS_VOIDED' AND (data ->> 'ticketsVersion')::bigint > %(version)s
        """,
        id=order_id,
        version=version,
    )
    return {row["id"] for row in rows}


def was_called_off(sql: Sql, order_id: UUID) -> bool:
    """Whether tickets of the order became void because its event was cancelled."""
    row = sql.one(
        """
        SELECT FROM order_events WHERE order_id = %(order_id)s AND type = 'TICKETS_VOIDED'
           AND data->>'reason' = 'EVENT_CANCELLED' LIMIT 1
        """,
        order_id=order_id,
    )
    return row is not None


def used_tickets(sql: Sql, order_id: UUID) -> set[str]:
    """The tickets that somebody came in with."""
    rows = sql.all(
        """
        SELECT DISTINCT data ->> 'ticketId' AS id FROM order_events
         WHERE order_id = %(id)s AND type = 'TICKET_CHECKED_IN'
        """,
        id=order_id,
    )
    return {row["id"] for row in rows}


def take_wanting_seats(sql: Sql, at: datetime, older_than_seconds: float, limit: int) -> list[UUID]:
    """Orders whose money is here and whose tickets are not, without a word for so long; marked as looked at.

    One is decided once a refund of all that is left was asked for, or could not be made; while a dispute is open, its
    bank decides. Two runs at the same time take different ones.
    """
    rows = sql.all(
        """
        UPDATE orders SET updated_at = %(at)s
         WHERE id IN (
            SELECT o.id FROM orders o
             WHERE o.captured_amount > 0
               AND (o.payment_status = 'CANCELLED' OR (o.payment_status = 'DISPUTED' AND o.dispute = 'WON'))
               AND o.updated_at <= %(at)s - make_interval(secs => %(seconds)s)
               AND o.refunding_amount + o.refunded_amount < o.captured_amount
               AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id AND r.cause = 'LATE_PAYMENT')
               AND (o.payment_status = 'DISPUTED' OR NOT EXISTS (
                        SELECT FROM refunds r WHERE r.order_id = o.id
                           AND (r.status = 'FAILED' OR r.cause IN ('COMPENSATION', 'EVENT_CANCELLED'))))
             ORDER BY o.updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        at=at,
        seconds=older_than_seconds,
        limit=limit,
    )
    return [row["id"] for row in rows]


def list_of_event(sql: Sql, wanted: Filter) -> list[tuple[Order, Buyer | None]]:
    """An event's orders, newest first, and who placed them. What is sought means itself: no character is a wildcard."""
    before, before_id = wanted.before or (None, None)
    rows = sql.all(
        """
        SELECT o.*, b.email, b.first_name, b.last_name FROM orders o LEFT JOIN buyers b USING (user_id)
         WHERE event_id = %(event_id)s
           AND (%(status)s::text IS NULL OR %(status)s =
                CASE WHEN payment_status IN ('PAID', 'PARTIALLY_REFUNDED') AND tickets IS NULL AND released_at IS NULL
                     THEN 'PENDING' ELSE payment_status END)
           AND (%(q)s::text IS NULL OR strpos(upper(order_number), upper(%(q)s)) > 0
                OR user_id::text = lower(%(q)s)
                OR EXISTS (SELECT FROM buyers sought
                            WHERE sought.user_id = o.user_id AND sought.search_text LIKE lower(%(pattern)s)))
           AND (%(before)s::timestamptz IS NULL OR (created_at, o.id) < (%(before)s, %(before_id)s))
         ORDER BY created_at DESC, o.id DESC LIMIT %(limit)s
        """,
        event_id=wanted.event_id,
        status=wanted.status,
        q=wanted.q,
        pattern=f"%{re.sub(_WILDCARD, _LITERALLY, wanted.q or '')}%",
        before=before,
        before_id=before_id,
        limit=wanted.limit,
    )
    return [(_existing(row), record(Buyer, row) if row["email"] else None) for row in rows]


def _state(order: Order) -> dict[str, str]:
    return {
        "paymentStatus": order.payment_status,
        "capturedAmount": str(order.captured_amount),
        "refundedAmount": str(order.refunded_amount),
    }


def _order(row: Row | None) -> Order | None:
    return None if row is None else _existing(row)


def _existing(row: Row) -> Order:
    dispute = Dispute(row["dispute"]) if row["dispute"] else None
    return record(Order, row | {"payment_status": PaymentStatus(row["payment_status"]), "dispute": dispute})
