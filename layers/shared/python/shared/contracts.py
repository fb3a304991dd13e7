"""The published message contracts: what services tell each other, one class per message type and version.

Changes are additive: a consumer ignores fields it does not know. Ids, amounts and states only, except in a message
marked SENSITIVE (an address, a name, a link token), whose outbox row is blanked once it is published.
"""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.wire import Instant, Money


class Contract(BaseModel):
    """Base of every message: camelCase JSON, unknown fields ignored."""

    TYPE: ClassVar[str]
    SENSITIVE: ClassVar[bool] = False
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


# ---- auth


class UserChanged(Contract):
    """A user registered, or changed name, address or role; the whole of what others may keep."""

    TYPE: ClassVar[str] = "auth.user_changed.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: str


class VerificationRequested(Contract):
    """A verification link has to be mailed."""

    TYPE: ClassVar[str] = "auth.verification_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    token: str


class PasswordResetRequested(Contract):
    """A password-reset link has to be mailed."""

    TYPE: ClassVar[str] = "auth.password_reset_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str
    token: str


class NoLinkDue(Contract):
    """Nobody is to be mailed: published where an address asked for a link and has no account (or needs none).

    Consumers pass it over. It is there so that whoever asks cannot tell, by the time it takes, who has an account.
    """

    TYPE: ClassVar[str] = "auth.no_link_due.v1"
    SENSITIVE: ClassVar[bool] = True


class UserErased(Contract):
    """A user wants to be forgotten: every service erases or anonymises what it holds of the person.

    The address is there because some of what is held is known by the address alone.
    """

    TYPE: ClassVar[str] = "auth.user_erased.v1"
    SENSITIVE: ClassVar[bool] = True
    user_id: UUID
    email: str
    first_name: str


class ExportRequested(Contract):
    """A user wants to see all that is held: every service writes its part and answers with `ExportPartReady`."""

    TYPE: ClassVar[str] = "auth.export_requested.v1"
    export_id: UUID
    user_id: UUID


class ExportPartReady(Contract):
    """Command to auth's own queue: a service has written its part of an export."""

    TYPE: ClassVar[str] = "auth.export_part_ready.v1"
    export_id: UUID
    user_id: UUID
    service: str


class ExportReady(Contract):
    """An export can be fetched by a link that has to be mailed."""

    TYPE: ClassVar[str] = "auth.export_ready.v1"
    SENSITIVE: ClassVar[bool] = True
    export_id: UUID
    user_id: UUID
    email: str
    first_name: str
    token: str
    expires_at: Instant


class ExportDiscarded(Contract):
    """Command to auth's own queue: nobody may see this export any more, its files have to go."""

    TYPE: ClassVar[str] = "auth.export_discarded.v1"
    export_id: UUID
    user_id: UUID


# ---- events


class EventState(Contract):
    """What every message about an event carries: the whole of what others keep of it."""

    event_id: UUID
    organizer_id: UUID
    name: str
    event_date: Instant
    time_zone: str
    venue_name: str
    venue_address: str
    status: str
    version: int


class EventPublished(EventState):
    """An event went on sale; the whole of what others keep of it."""

    TYPE: ClassVar[str] = "events.event_published.v1"


class EventUpdated(EventState):
    """A published event changed."""

    TYPE: ClassVar[str] = "events.event_updated.v1"


class EventCancelled(EventState):
    """A published event was cancelled: sales stop."""

    TYPE: ClassVar[str] = "events.event_cancelled.v1"
    reason: str


# ---- tickets


class IssuedTicket(BaseModel):
    """One ticket of an issued order."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
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


class TypeStock(BaseModel):
    """How a ticket type stands: `capacity` seats, of which some are sold and some held."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
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


# ---- payments


class OrderPaid(Contract):
    """The money of an order is captured."""

    TYPE: ClassVar[str] = "payments.order_paid.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID
    amount: Money
    currency: str


class PaymentFailed(Contract):
    """A payment attempt failed; the seats are kept until `pay_by`, and the buyer may try another card."""

    TYPE: ClassVar[str] = "payments.payment_failed.v1"
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    attempt_id: UUID
    code: str
    message: str
    pay_by: Instant


class OrderCancelled(Contract):
    """An order ended without payment (or with its payment given back)."""

    TYPE: ClassVar[str] = "payments.order_cancelled.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID
    reason: str


class OrderRefunded(Contract):
    """Money went back to the buyer; `ticket_ids` names the tickets it was for, all of them if `fully`."""

    TYPE: ClassVar[str] = "payments.order_refunded.v1"
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    refund_id: UUID
    amount: Money
    currency: str
    fully: bool
    ticket_ids: list[UUID]


class OrderLine(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
    ticket_type_id: UUID
    quantity: int
    unit_price: Money


class RefundShare(BaseModel):
    """How much of a refund was for tickets of one type."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
    ticket_type_id: UUID
    amount: Money


class RefundMade(BaseModel):
    """Money that went back; the shares add up to less than the amount where it was not for tickets in particular."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
    refund_id: UUID
    amount: Money
    refunded_at: Instant
    shares: list[RefundShare]


class OrderChanged(Contract):
    """An order is in another state than before; the whole of it, for those who keep a list of orders.

    `payment_status` is what the order shows to its buyer.
    """

    TYPE: ClassVar[str] = "payments.order_changed.v1"
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    payment_status: str
    total_amount: Money
    captured_amount: Money
    refunded_amount: Money
    currency: str
    items: list[OrderLine]
    refunds: list[RefundMade] = []
    created_at: Instant


class OrderDisputed(Contract):
    """The buyer's bank takes the money back: the tickets no longer open the door."""

    TYPE: ClassVar[str] = "payments.order_disputed.v1"
    order_id: UUID
    user_id: UUID
    event_id: UUID


class LatePaymentReceived(Contract):
    """Money came for an order whose seats had been given back: it buys seats again, if there are any."""

    TYPE: ClassVar[str] = "payments.late_payment_received.v1"
    order_id: UUID


class AttemptRequested(Contract):
    """Command to payments' own queue: carry out this payment attempt."""

    TYPE: ClassVar[str] = "payments.attempt_requested.v1"
    order_id: UUID
    attempt_id: UUID


class WebhookReceived(Contract):
    """Command to payments' own queue: look at the gateway's object that this stored webhook is about."""

    TYPE: ClassVar[str] = "payments.webhook_received.v1"
    provider: str
    event_id: str


class RefundRequested(Contract):
    """Command to payments' own queue: carry out this recorded refund."""

    TYPE: ClassVar[str] = "payments.refund_requested.v1"
    refund_id: UUID
    order_id: UUID


# ---- notifications


class MailRequested(Contract):
    """Command to the mail queue: render this template and send it.

    `mail_key` makes it one mail however often it is asked for; `recipient_email` is given when it may differ from the
    address that notifications keeps for `user_id`, or when the address is nobody's we know.
    """

    TYPE: ClassVar[str] = "notifications.mail_requested.v1"
    SENSITIVE: ClassVar[bool] = True
    mail_key: str
    template: str
    user_id: UUID | None
    recipient_email: str | None = None
    order_id: UUID | None = None
    data: dict[str, Any]


class MailStatusChanged(Contract):
    """A mail was sent, delivered, bounced, or given up."""

    TYPE: ClassVar[str] = "notifications.mail_status_changed.v1"
    notification_id: UUID
    user_id: UUID | None
    order_id: UUID | None
    template: str
    status: str
    delivery_status: str | None = None
