"""Rows of the tickets database as the use cases handle them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class EventCopy:
    """What tickets keeps of an event; `currency` is None until it has a ticket type."""

    event_id: UUID
    organizer_id: UUID
    name: str
    event_date: datetime
    time_zone: str
    venue_name: str
    venue_address: str
    status: str
    version: int
    currency: str | None
    refreshed_at: datetime

    @property
    def is_public(self) -> bool:
        """Everybody may see it; a draft is its organizer's alone."""
        return self.status != "DRAFT"


@dataclass(frozen=True)
class Hold:
    """The seats of one type that a reservation holds, at their frozen price, with the type's name."""

    id: UUID
    reservation_id: UUID
    position: int
    user_id: UUID
    event_id: UUID
    ticket_type_id: UUID
    type_name: str
    quantity: int
    unit_price: Decimal
    currency: str
    reserved_until: datetime
    status: str
    order_id: UUID | None
    created_at: datetime


@dataclass(frozen=True)
class Purchase:
    """An order as tickets knows it."""

    order_id: UUID
    reservation_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    total_amount: Decimal
    currency: str
    payment_type: str
    payment_token: str | None
    holder_names: list[str]
    pay_by: datetime
    status: str
    version: int
    saga_checked_at: datetime
    notified_outcome: str | None
    created_at: datetime


@dataclass(frozen=True)
class TicketRow:
    """A ticket with what is shown of its type and asked of its event."""

    id: UUID
    ticket_type_id: UUID
    order_id: UUID
    user_id: UUID
    event_id: UUID
    ticket_number: str
    qr_code: str
    holder_name: str | None
    status: str
    version: int
    checked_in_at: datetime | None
    mailed_again: list[datetime]
    created_at: datetime
    type_name: str
    venue_zone: str | None
    organizer_id: UUID
    delivery_status: str
