"""Orders and their payments: the state we keep, and the shapes on the wire."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from shared.errors import Conflict, FieldError
from shared.wire import Answer, Body, Currency, Instant, Money, lines

ZERO = Decimal("0.00")
# One for each ticket that an order may have, and as many again.
MAX_REFUNDS_PER_ORDER = 200
Ticket = dict[str, Any]  # id, ticketNumber, ticketTypeId, status: as the wire shows it


class PaymentStatus(StrEnum):
    """Where the payment of an order stands. It moves down this list, but for the three it starts with."""

    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


UNDECIDED = (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PAYMENT_FAILED)
BOUGHT = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.DISPUTED)
NOT_SHOWN_WITHOUT_TICKETS = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)


class Dispute(StrEnum):
    """What the buyer's bank made of the buyer's complaint; `WON` is ours, and the money stays."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class AttemptStatus(StrEnum):
    """What became of one attempt to take an order's money."""

    OPEN = "OPEN"  # being carried out; an order has at most one
    ACTION_REQUIRED = "ACTION_REQUIRED"
    PROCESSING = "PROCESSING"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"  # the provider could not be reached, or refused to try
    SUPERSEDED = "SUPERSEDED"  # the buyer took another card instead
    CANCELLED = "CANCELLED"


class RefundStatus(StrEnum):
    """What became of one refund."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class OrderNotPayable(Conflict):
    """The order is paid, or its time to pay is over."""

    code = "ORDER_NOT_PAYABLE"
    message = "This order is paid already, or the time to pay it is over"


class MethodNotOffered(Conflict):
    """This way to pay is not offered to this buyer."""

    code = "PAYMENT_METHOD_NOT_OFFERED"
    message = "This way to pay is not offered at the moment, choose another one"


class PaymentInProgress(Conflict):
    """A payment of this order is being made: wait for its outcome."""

    code = "PAYMENT_IN_PROGRESS"
    message = "A payment of this order is in progress"


class RefundExceedsPayment(Conflict):
    """More than was paid and not yet given back."""

    code = "REFUND_EXCEEDS_PAYMENT"
    message = "The refund is more than what is left of the payment"


class TooManyRefunds(Conflict):
    """An order has no more parts given back, since a message carries them all; all that is left still can be."""

    code = "TOO_MANY_REFUNDS"
    message = f"After {MAX_REFUNDS_PER_ORDER} refunds only all that is left can be given back"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("amount", self.message)])


class OrderNotRefundable(Conflict):
    """Its tickets are not issued yet, or its payment is disputed at the bank."""

    code = "ORDER_NOT_REFUNDABLE"
    message = "The order cannot be refunded in its current state"


# ---- what we keep


@dataclass(frozen=True)
class Order:
    """An order as its row says; `repository.orders.save` writes a changed copy.

    Attributes:
        payment_gateway_transaction_id: the provider's one payment (intent) for this order, once it is known.
        client_secret: lets the buyer's browser take the action that is due; the buyer's alone.
        approval_url: where the buyer approves the payment at the provider, while that is due; the buyer's alone.
        payment_number: which payment of the order this is: another one after the buyer changed providers.
        captured_amount: what the provider took; refunding and refunded amounts are parts of it.
        cancel_requested_at: set before the provider is asked to cancel: nothing is charged from then on.
        tickets: None until they are known to be issued.
        tickets_version: the tickets service's version of the purchase when it last issued or released: older news
            of it changes nothing.
        dispute: of the payment, as the buyer's bank decided it; None if there never was one.
        mail_id: the mail that `mail_status` is of; `mail_asked_at` is when that mail was asked for.
        version: counts the order's events.
        refunds_unclear: the provider may have given back more than is known here; it is asked again.
    """

    id: UUID
    user_id: UUID
    event_id: UUID
    organizer_id: UUID
    order_number: str
    total_amount: Decimal
    currency: str
    payment_status: PaymentStatus
    payment_method: str
    payment_gateway_transaction_id: str | None
    client_secret: str | None
    failure_code: str | None
    failure_message: str | None
    pay_by: datetime
    captured_amount: Decimal
    refunding_amount: Decimal
    refunded_amount: Decimal
    cancel_requested_at: datetime | None
    tickets: list[Ticket] | None
    released_at: datetime | None
    mail_status: str
    tickets_version: int
    dispute: Dispute | None
    version: int
    created_at: datetime
    approval_url: str | None = None
    payment_number: int = 1
    refunds_unclear: bool = False
    mail_id: UUID | None = None
    mail_asked_at: datetime | None = None

    @property
    def is_undecided(self) -> bool:
        """Neither paid nor cancelled yet."""
        return self.payment_status in UNDECIDED

    @property
    def refundable_amount(self) -> Decimal:
        """What was paid, is not given back and is not about to be."""
        return self.captured_amount - self.refunded_amount - self.refunding_amount

    @property
    def wants_seats(self) -> bool:
        """Its money is here and its tickets are not: it came too late, or a dispute about it was won."""
        if self.payment_status is PaymentStatus.DISPUTED:
            return self.dispute is Dispute.WON
        return self.payment_status is PaymentStatus.CANCELLED and self.refundable_amount > ZERO

    @property
    def is_void(self) -> bool:
        """Its seats are on sale again: it has been released, or had tickets and all of them are void."""
        return self.released_at is not None or (
            bool(self.tickets) and all(ticket["status"] == "VOID" for ticket in self.tickets or [])
        )

    @property
    def shown_status(self) -> PaymentStatus:
        """The status that callers see: who sees PAID finds the tickets too."""
        waits = self.tickets is None and self.released_at is None
        return (
            PaymentStatus.PENDING
            if waits and self.payment_status in NOT_SHOWN_WITHOUT_TICKETS
            else self.payment_status
        )


@dataclass(frozen=True)
class Buyer:
    """Who placed an order, as auth tells it."""

    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class Attempt:
    """One attempt to take an order's money; its id is the key under which the provider knows it."""

    id: UUID
    order_id: UUID
    amount: Decimal
    status: AttemptStatus
    payment_method: str
    payment_token: str | None
    created_at: datetime


@dataclass(frozen=True)
class Refund:
    """Money to be given back; its id is the key under which the provider knows it."""

    id: UUID
    order_id: UUID
    cause: str
    amount: Decimal
    reason: str
    ticket_ids: list[UUID]
    status: RefundStatus
    gateway_refund_id: str | None
    failure: str | None = None


# ---- the wire


class PaymentMethodView(Answer):
    """A way to pay; `publishable_key` is for the provider's library in the buyer's browser."""

    type: str
    display_name: str
    available: bool
    publishable_key: str | None = None


class PaymentMethods(Answer):
    """The ways to pay."""

    items: list[PaymentMethodView]


class ChosenMethod(Body):
    """How to pay: for `stripe`, `token` is the payment method's id as Stripe gave it to the buyer's browser.

    `paypal` needs none: the buyer approves the payment at the order's `approvalUrl`.
    """

    type: Literal["stripe", "paypal", "free"]
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,255}$")] | None = None


class ProcessRequest(Body):
    """Pay an order again, with the same or another payment method; or complete a PayPal approval."""

    order_id: UUID
    payment_method: ChosenMethod


class ProcessAccepted(Answer):
    """The attempt is on its way; `status_url` tells its outcome."""

    order_id: UUID
    status: str
    status_url: str


class RefundRequest(Body):
    """Give back an amount, or the price of some tickets, or all that is left."""

    order_id: UUID
    amount: Annotated[Money, Field(gt=0)] | None = None
    ticket_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(lines)]


class RefundAccepted(Answer):
    """The refund is recorded and on its way."""

    refund_id: UUID
    order_id: UUID
    status: str
    amount: Money
    currency: Currency


class ItemView(Answer):
    """A line of an order."""

    ticket_type_id: UUID
    name: str
    quantity: int
    unit_price: Money
    total_price: Money


class TicketView(Answer):
    """A ticket of an order; the tickets service tells the rest of it."""

    id: UUID
    ticket_number: str
    ticket_type_id: UUID
    status: str


class MethodView(Answer):
    """How an order is paid."""

    type: str


class FailureView(Answer):
    """Why the last attempt failed; the message is fit for the buyer."""

    code: str
    message: str


class HistoryEntry(Answer):
    """One thing that happened to an order, and the payment status it left."""

    type: str
    payment_status: PaymentStatus
    at: Instant


class OrderView(Answer):
    """An order and its payment.

    `client_secret` (Stripe) or `approval_url` (PayPal) is there for the buyer alone, while an action is due; `pay_by`
    while the order can be paid.
    """

    order_id: UUID
    order_number: str
    event_id: UUID
    items: list[ItemView]
    total_amount: Money
    currency: Currency
    refunded_amount: Money = ZERO
    payment_status: PaymentStatus
    payment_method: MethodView | None = None
    client_secret: str | None = None
    approval_url: str | None = None
    failure: FailureView | None = None
    pay_by: Instant | None = None
    tickets: list[TicketView] = Field(default_factory=list)
    mail_status: str = "PENDING"
    created_at: Instant
    history: list[HistoryEntry] = Field(default_factory=list)


class BuyerView(Answer):
    """Who placed an order, for those who sell it."""

    first_name: str
    last_name: str
    email: str


class OrderSummary(Answer):
    """An order in its organizer's list; without its `buyer` once that person's account is erased."""

    order_id: UUID
    order_number: str
    user_id: UUID
    buyer: BuyerView | None = None
    event_id: UUID
    total_amount: Money
    currency: Currency
    refunded_amount: Money
    payment_status: PaymentStatus
    created_at: Instant


class WebhookAnswer(Answer):
    """The webhook is stored."""

    received: bool = True
