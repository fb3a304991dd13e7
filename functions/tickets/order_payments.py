"""What payments says of orders, kept for the list of a buyer's orders: a log of its messages, and the fold of that."""

from datetime import datetime
from uuid import UUID

from functions.tickets.models import PaymentStatus
from functions.tickets.repository import order_payments as repository
from shared.contracts import OrderChanged
from shared.database import Database, Sql

PAGE = 500
_UNDECIDED = ("PENDING", "REQUIRES_ACTION", "PAYMENT_FAILED")


def take_over(sql: Sql, message_id: UUID, order: OrderChanged, *, version: int, at: datetime) -> None:
    """Keep what the message says; messages may come in any order, and more than once."""
    repository.append(
        sql,
        message_id,
        order.order_id,
        version=version,
        payment_status=order.payment_status,
        refunded_amount=order.refunded_amount,
        at=at,
    )
    repository.fold(sql, [order.order_id])


def rebuild(database: Database) -> int:
    """Drop what is kept and fold the log again, a page of orders at a time; how many orders.

    Messages may arrive meanwhile: `fold` never writes an older version over a newer one.
    """
    handled, after = 0, None
    while True:
        with database.transaction() as sql:
            page: list[UUID] = [row["order_id"] for row in repository.known(sql, after, PAGE)]
            repository.forget(sql, page)
            repository.fold(sql, page)
        if not page:
            return handled
        handled, after = handled + len(page), page[-1]


def shown(status: str, told: PaymentStatus | None) -> PaymentStatus:
    """The payment status to show beside our own status: payments' word may still be under way.

    Tickets are only made of what is paid, and seats only given back when an order is over.
    """
    if told is not None and told not in _UNDECIDED:
        return told
    if status == "ISSUED":
        return "PAID"
    if status == "RELEASED":
        return "CANCELLED"
    return told or "PENDING"
