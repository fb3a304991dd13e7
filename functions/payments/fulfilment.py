"""What other services tell of an order: its tickets, its seats, its mail."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from functions.payments.models import Order, Ticket
from functions.payments.repository import orders
from shared.database import Sql

# A mail's state only moves on; what comes late, or twice, changes nothing.
_MAIL_ORDER = ("PENDING", "FAILED", "SENT", "DELIVERED", "BOUNCED", "COMPLAINED")


def issued(sql: Sql, order_id: UUID, tickets: list[Ticket], at: datetime) -> Order | None:
    """The order's tickets exist; None if there is no such order."""
    order = orders.lock(sql, order_id)
    if order is None or order.tickets is not None:
        return order
    return orders.save(sql, replace(order, tickets=tickets), "TICKETS_ISSUED", at)


def released(sql: Sql, order_id: UUID, at: datetime) -> None:
    """The order's seats went back on sale, and tickets it may have had are void."""
    order = orders.lock(sql, order_id)
    if order is None or order.released_at is not None:
        return
    tickets = None if order.tickets is None else [ticket | {"status": "VOID"} for ticket in order.tickets]
    orders.save(sql, replace(order, released_at=at, tickets=tickets), "TICKETS_RELEASED", at)


def checked_in(sql: Sql, order_id: UUID, ticket_id: UUID, at: datetime) -> None:
    """A ticket of the order was used at the door."""
    order = orders.lock(sql, order_id)
    if order is None or order.tickets is None:
        return
    tickets = [
        ticket | {"status": "USED"} if ticket["id"] == str(ticket_id) else ticket for ticket in order.tickets
    ]
    if tickets != order.tickets:
        orders.save(sql, replace(order, tickets=tickets), "TICKET_CHECKED_IN", at, ticketId=str(ticket_id))


def mailed(sql: Sql, order_id: UUID, status: str, at: datetime) -> None:
    """What became of the mail that tells the buyer how the order ended."""
    order = orders.lock(sql, order_id)
    if order is None or _rank(status) <= _rank(order.mail_status):
        return
    orders.save(sql, replace(order, mail_status=status), "MAIL_STATUS", at, mailStatus=status)


def _rank(status: str) -> int:
    return _MAIL_ORDER.index(status) if status in _MAIL_ORDER else len(_MAIL_ORDER)
