"""What payments tells the others, and itself."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, Part
from shared.wire import Instant, Money


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


class OrderLine(Part):
    """One line of an order."""

    ticket_type_id: UUID
    quantity: int
    unit_price: Money


class RefundShare(Part):
    """How much of a refund was for tickets of one type."""

    ticket_type_id: UUID
    amount: Money


class RefundMade(Part):
    """Money that went back; the shares add up to less than the amount where it was not for tickets in particular."""

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
    refunds: list[RefundMade] = Field(default_factory=list)
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


class SecondPaymentFound(Contract):
    """Command to payments' own queue: give back the money of a payment whose order another payment had paid."""

    TYPE: ClassVar[str] = "payments.second_payment_found.v1"
    provider: str
    intent_id: str
    order_id: UUID


class PaymentUnheard(Contract):
    """Command to payments' own queue: ask the gateway how the payment of this order stands; nobody has told."""

    TYPE: ClassVar[str] = "payments.payment_unheard.v1"
    order_id: UUID


class RefundRequested(Contract):
    """Command to payments' own queue: carry out this recorded refund."""

    TYPE: ClassVar[str] = "payments.refund_requested.v1"
    refund_id: UUID
    order_id: UUID
