"""What tickets tells the others, and itself."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.base import Contract, Part
from shared.wire import Instant, Money


class IssuedTicket(Part):
    """One ticket of an issued order."""

    ticket_id: UUID
    ticket_number: str
    ticket_type_id: UUID


class OrderIssued(Contract):
    """An order's tickets exist."""

    TYPE: ClassVar[str] = "tickets.order_issued.v1"
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    tickets: list[IssuedTicket]


class OrderReleased(Contract):
    """An order's seats went back on sale; any tickets it had are void."""

    TYPE: ClassVar[str] = "tickets.order_released.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID


class TicketCheckedIn(Contract):
    """A ticket was used at the door."""

    TYPE: ClassVar[str] = "tickets.ticket_checked_in.v1"
    ticket_id: UUID
    order_id: UUID
    event_id: UUID
    checked_in_at: Instant


class TicketsVoided(Contract):
    """Tickets of an order no longer open the door; one message per order, also when a whole event is cancelled."""

    TYPE: ClassVar[str] = "tickets.tickets_voided.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID
    ticket_ids: list[UUID]
    reason: Literal["REFUNDED", "EVENT_CANCELLED", "DISPUTED"]


class VoidsRequested(Contract):
    """Command to tickets' own queue: void the next batch of a cancelled event's tickets."""

    TYPE: ClassVar[str] = "tickets.voids_requested.v1"
    event_id: UUID


class PurchaseStopped(Contract):
    """An order that is not paid yet cannot be any more: its event was cancelled."""

    TYPE: ClassVar[str] = "tickets.purchase_stopped.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID
    reason: Literal["EVENT_CANCELLED"]


class LatePaymentRefused(Contract):
    """Money came after the seats had gone, and none are left: it has to go back."""

    TYPE: ClassVar[str] = "tickets.late_payment_refused.v1"
    order_id: UUID
    reason: str


class TicketDeliveryChanged(Contract):
    """What became of the mail that carries an order's tickets."""

    TYPE: ClassVar[str] = "tickets.delivery_changed.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID
    status: str


class TypeStock(Part):
    """How a ticket type stands: `capacity` seats, of which some are sold and some held."""

    ticket_type_id: UUID
    name: str
    price: Money
    currency: str
    capacity: int
    sold: int
    held: int


class StockChanged(Contract):
    """How the ticket types of an event stand, all of them, at the message's time."""

    TYPE: ClassVar[str] = "tickets.stock_changed.v1"
    event_id: UUID
    types: list[TypeStock]
