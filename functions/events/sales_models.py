"""The sales figures of an event, on the wire."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, PlainSerializer

from shared.wire import Answer, Currency, Instant, Money

# A sum of amounts may have more digits than any one of them.
Sum = Annotated[Decimal, Field(ge=0), PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str)]


class Sold(Answer):
    """How many tickets were sold, and what for.

    `sold` are the tickets that are valid, `voided` those that were sold and are not any more (refunded, cancelled,
    disputed). `revenue` is all the money that was taken; what went back is in `refunds`. `held` are seats in
    somebody's hands who has not paid yet.
    """

    sold: int = 0
    voided: int = 0
    held: int = 0
    available: int = 0
    revenue: Sum = Decimal(0)
    refunds: Sum = Decimal(0)


class TypeSales(Sold):
    """The sales of one ticket type; its `refunds` are those of which it is known that they were for its tickets.

    A type that was deleted is listed as long as it has figures.
    """

    ticket_type_id: UUID
    name: str
    price: Money
    currency: Currency
    capacity: int
    deleted: bool


class TotalSales(Sold):
    """The sales of the whole event; `refunds_without_tickets` is the part of `refunds` that is of no ticket type."""

    refunds_without_tickets: Sum = Decimal(0)


class DaySales(Answer):
    """A day by the event's own clock: what the orders placed on it brought, and what was refunded on it.

    `tickets` counts those that are void by now, as `revenue` holds what was refunded later.
    """

    date: date
    tickets: int
    revenue: Sum
    refunds: Sum


class EventSales(Answer):
    """How an event sells.

    `as_of` is when the newest thing happened that the figures know of: what happens now is in them within seconds.
    `held` and `available` are told once a minute while they change, the last time at `stock_as_of`.
    """

    event_id: UUID
    as_of: Instant
    stock_as_of: Instant | None
    time_zone: str
    currency: Currency | None
    ticket_types: list[TypeSales]
    totals: TotalSales
    days: list[DaySales]
    checked_in: int
