"""Telling those who keep lists of orders (sales figures, a buyer's orders) what an order shows now."""

from datetime import datetime
from uuid import UUID

from functions.payments import refund_shares
from functions.payments.models import ZERO, Order, PaymentStatus
from functions.payments.refund_shares import Named
from functions.payments.saga_models import Reservation
from shared import outbox
from shared.contracts import OrderChanged, OrderLine, RefundMade, RefundShare
from shared.database import Sql


def tell_created(sql: Sql, reservation: Reservation, at: datetime) -> None:
    """The order is there, in its first version."""
    message = OrderChanged(
        order_id=reservation.order_id,
        order_number=reservation.order_number,
        user_id=reservation.user_id,
        event_id=reservation.event_id,
        payment_status=PaymentStatus.PENDING,
        total_amount=reservation.total_amount,
        captured_amount=ZERO,
        refunded_amount=ZERO,
        currency=reservation.currency,
        items=[
            OrderLine(**item.model_dump(include=set(OrderLine.model_fields))) for item in reservation.items
        ],
        created_at=at,
    )
    outbox.publish(sql, message, subject=reservation.order_id)


def tell_changed(sql: Sql, before: Order, after: Order) -> None:
    """The order shows something else than before, if it does."""
    if _shown(before) != _shown(after):
        outbox.publish(sql, whole(sql, after), subject=after.id, version=after.version)


def whole(sql: Sql, order: Order) -> OrderChanged:
    """All that is told of an order as it is."""
    lines = lines_of(sql, order.id)
    return OrderChanged(
        order_id=order.id,
        order_number=order.order_number,
        user_id=order.user_id,
        event_id=order.event_id,
        payment_status=order.shown_status,
        total_amount=order.total_amount,
        captured_amount=order.captured_amount,
        refunded_amount=order.refunded_amount,
        currency=order.currency,
        items=lines,
        refunds=_refunds(sql, order, lines) if order.refunded_amount > ZERO else [],
        created_at=order.created_at,
    )


def lines_of(sql: Sql, order_id: UUID) -> list[OrderLine]:
    """The order's lines."""
    rows = sql.all(
        "SELECT ticket_type_id, quantity, unit_price FROM order_items WHERE order_id = %(id)s ORDER BY name, id",
        id=order_id,
    )
    return [OrderLine(**row) for row in rows]


def _refunds(sql: Sql, order: Order, lines: list[OrderLine]) -> list[RefundMade]:
    rows = sql.all(
        """
        SELECT id, amount, ticket_ids, updated_at FROM refunds
         WHERE order_id = %(id)s AND status = 'SUCCEEDED' ORDER BY created_at, id
        """,
        id=order.id,
    )
    types = {UUID(ticket["id"]): UUID(ticket["ticketTypeId"]) for ticket in order.tickets or []}
    shares = refund_shares.shares(
        {line.ticket_type_id: line.quantity * line.unit_price for line in lines},
        {line.ticket_type_id: line.unit_price for line in lines},
        [Named(row["amount"], [types[id_] for id_ in row["ticket_ids"] if id_ in types]) for row in rows],
    )
    return [
        RefundMade(
            refund_id=row["id"],
            amount=row["amount"],
            refunded_at=row["updated_at"],
            shares=[RefundShare(ticket_type_id=type_id, amount=amount) for type_id, amount in share.items()],
        )
        for row, share in zip(rows, shares, strict=True)
    ]


def _shown(order: Order) -> tuple[object, ...]:
    return order.shown_status, order.captured_amount, order.refunded_amount
