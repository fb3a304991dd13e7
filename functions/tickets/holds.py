"""Holding seats for a buyer: all that was asked for, or nothing, for as long as the hold lasts."""

import json
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from functions.tickets import inventory
from functions.tickets.models import MAX_AMOUNT, OrderItem, Reservation, ReserveItem, ReserveRequest
from functions.tickets.records import Hold
from functions.tickets.repository import reservations as repository
from functions.tickets.settings import HOLD_SECONDS
from shared import business
from shared.database import Refused, Sql
from shared.errors import AppError, BadInput, Conflict, FieldError, NotFound


class EventNotOnSale(NotFound):
    """There is no such event, or it is a draft, as far as is known here."""


class UnknownTicketType(NotFound):
    """The event has no such ticket type."""

    message = "This event has no such ticket type"


class SoldOut(Conflict):
    """Fewer tickets are left than were asked for."""

    code = "SOLD_OUT"
    message = "Not enough tickets are left"


class SaleClosed(Conflict):
    """Tickets are not sold now: not yet, or no more."""

    code = "SALE_CLOSED"
    message = "These tickets are not on sale"


class PerPersonLimit(Conflict):
    """The buyer would have more tickets of a type than one person may, what was bought before included."""

    code = "PER_PERSON_LIMIT"
    message = "One person may not buy so many"


class AlreadyPurchased(Conflict):
    """The reservation is being bought, or was."""

    code = "RESERVATION_PURCHASED"
    message = "This reservation belongs to a purchase"


def check_items(items: list[ReserveItem]) -> None:
    """Refuse a ticket type that is named twice."""
    seen: set[UUID] = set()
    for index, item in enumerate(items):
        if item.ticket_type_id in seen:
            raise BadInput.field(f"items[{index}].ticketTypeId", "This ticket type is in the list already")
        seen.add(item.ticket_type_id)


def reserve(sql: Sql, buyer_id: UUID, request: ReserveRequest, at: datetime) -> Reservation:
    """Hold every item or none; prices are frozen from here on.

    Raises:
        SoldOut, SaleClosed, PerPersonLimit, UnknownTicketType: naming the item.
        EventNotOnSale: no event that is on sale is known here by this id.
    """
    try:
        held = repository.hold(
            sql,
            reservation_id=uuid4(),
            user_id=buyer_id,
            event_id=request.event_id,
            items=[(item.ticket_type_id, item.quantity) for item in request.items],
            at=at,
            seconds=HOLD_SECONDS(),
        )
    except Refused as refused:
        raise _reason(refused) from refused
    if total(held) > MAX_AMOUNT:
        raise BadInput.field("items", f"A reservation may not cost more than {MAX_AMOUNT}")
    business.count(sql, "tickets", "SeatsReserved", request.event_id, sum(hold.quantity for hold in held))
    inventory.changed(sql, request.event_id, [hold.ticket_type_id for hold in held])
    return Reservation(
        reservation_id=held[0].reservation_id,
        event_id=request.event_id,
        items=order_items(held),
        total_amount=total(held),
        currency=held[0].currency,
        reserved_until=held[0].reserved_until,
    )


def release(sql: Sql, buyer_id: UUID, reservation_id: UUID) -> None:
    """Put held seats back on sale; doing it again, or after the hold ran out, changes nothing.

    Raises:
        NotFound: unknown, or someone else's.
        AlreadyPurchased: the seats are bound to an order.
    """
    held = repository.lock(sql, reservation_id)
    if not held or held[0].user_id != buyer_id:
        raise NotFound()
    if any(hold.order_id is not None for hold in held):
        raise AlreadyPurchased()
    repository.give_back(sql, [hold for hold in held if hold.status == "HELD"], "RELEASED")
    inventory.changed(sql, held[0].event_id, [hold.ticket_type_id for hold in held])


def release_all(sql: Sql, buyer_id: UUID) -> None:
    """Put on sale again whatever the buyer holds; what is being bought meanwhile stays with its order."""
    held = repository.lock_held(sql, buyer_id)
    repository.give_back(sql, held, "RELEASED")
    for event_id in {hold.event_id for hold in held}:
        inventory.changed(sql, event_id, [hold.ticket_type_id for hold in held if hold.event_id == event_id])


def expire(sql: Sql, at: datetime, limit: int) -> int:
    """Put the seats of holds that ran out back on sale, oldest first; how many rows of reservations it were."""
    rows = repository.expire(sql, at, limit)
    for row in rows:
        inventory.changed(sql, row["event_id"], [row["ticket_type_id"]])
    return sum(row["expired"] for row in rows)


def order_items(held: list[Hold]) -> list[OrderItem]:
    """A reservation's items as everybody is told of them."""
    return [
        OrderItem(
            ticket_type_id=hold.ticket_type_id,
            name=hold.type_name,
            quantity=hold.quantity,
            unit_price=hold.unit_price,
            total_price=hold.unit_price * hold.quantity,
        )
        for hold in held
    ]


def total(held: list[Hold]) -> Decimal:
    """What a reservation costs."""
    return sum((hold.unit_price * hold.quantity for hold in held), Decimal("0.00"))


def _reason(refused: Refused) -> AppError | Refused:
    """What the error of `hold_tickets` means (migrations/0002_stock.sql)."""
    if refused.constraint == "ticket_types_stock":
        return SoldOut()
    if refused.constraint == "ticket_type_buyers_limit":
        return PerPersonLimit()
    detail = json.loads(refused.detail) if refused.sqlstate.startswith("BX") and refused.detail else {}
    if refused.sqlstate == "BX001":
        return EventNotOnSale() if detail["status"] in (None, "DRAFT") else SaleClosed()
    messages = {
        "BX002": (UnknownTicketType, "This event has no such ticket type"),
        "BX003": (SoldOut, f"Only {detail['left']} left" if detail.get("left") else "None are left"),
        "BX004": (SaleClosed, "This ticket type is not on sale now"),
        "BX005": (PerPersonLimit, f"At most {detail.get('limit')} per person"),
    }
    if refused.sqlstate not in messages:
        return refused
    error, message = messages[refused.sqlstate]
    return error(details=[FieldError(f"items[{detail['item']}].ticketTypeId", message)])
