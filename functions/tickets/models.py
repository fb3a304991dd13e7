"""What the tickets service receives (`Body`) and sends (`Answer`)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from shared.wire import Answer, Body, Currency, Instant, Money, lines, one_line, person_name

MAX_TYPES_PER_RESERVATION = 20
MAX_QUANTITY = 100
# So many QR codes a mail shows, and so many tickets a message names, of at most 256 kB.
MAX_TICKETS_PER_RESERVATION = 100
# So many the message that tells of an event's stock names, of at most 256 kB.
MAX_TYPES_PER_EVENT = 100
MAX_STOCK = 10_000_000
# Stripe takes eight digits of the smallest unit: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
MAX_AMOUNT = Decimal("999999.99")
# Currencies of two decimals that cards are charged in; amounts everywhere have two places.
_CURRENCIES = (
    "AED AUD BRL CAD CHF CNY COP CZK DKK EGP EUR GBP HKD IDR ILS INR KES MAD MXN MYR NGN NOK NZD PEN PHP PKR "
    "PLN QAR RON SAR SEK SGD THB TRY TWD UAH USD ZAR"
)
CURRENCIES = frozenset(_CURRENCIES.split())

Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(one_line)]
HolderName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(person_name)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
Stock = Annotated[int, Field(strict=True, ge=0, le=MAX_STOCK)]
Price = Annotated[Money, Field(le=MAX_AMOUNT)]
# Within what PostgreSQL and every client can show, in any time zone.
SaleDate = Annotated[Instant, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
# A gateway's token, like `pm_card_visa`; no card number fits the pattern.
PaymentToken = Annotated[str, Field(pattern=r"^[A-Za-z]+_[A-Za-z0-9_]+$", max_length=255)]

SaleStatus = Literal["ON_SALE", "NOT_STARTED", "ENDED", "SOLD_OUT"]
OrderStatus = Literal["PENDING", "ISSUED", "CANCELLED"]
TicketStatus = Literal["ACTIVE", "USED", "VOID"]
PaymentStatus = Literal[
    "PENDING",
    "REQUIRES_ACTION",
    "PAYMENT_FAILED",
    "PAID",
    "CANCELLED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
    "DISPUTED",
]
DeliveryStatus = Literal["PENDING", "SENT", "DELIVERED", "BOUNCED", "COMPLAINED", "FAILED"]


# ---- ticket types


class TicketTypeTerms(Body):
    """What an organizer says of a ticket type; a PUT replaces all of it."""

    name: Name
    description: Annotated[str, Field(max_length=5000), AfterValidator(lines)] | None = None
    price: Price
    currency: Currency | None = None
    quantity_available: Stock
    sale_start_date: SaleDate | None = None
    sale_end_date: SaleDate | None = None
    per_person_limit: Annotated[int, Field(strict=True, ge=1, le=1000)] = 10
    venue_zone: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(one_line)] | None = None

    @field_validator("currency")
    @classmethod
    def _is_sold_in(cls, currency: str | None) -> str | None:
        if currency is not None and currency not in CURRENCIES:
            raise ValueError("Not a currency that tickets are sold in")
        return currency

    @field_validator("sale_end_date")
    @classmethod
    def _ends_after_it_starts(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("sale_start_date")
        if start is not None and end is not None and end <= start:
            raise ValueError("The sale must end after it starts")
        return end


class CreateTicketTypeRequest(TicketTypeTerms):
    """A new ticket type of an event."""

    event_id: UUID
    quantity_available: Annotated[Stock, Field(ge=1)]


class UpdateTicketTypeRequest(TicketTypeTerms):
    """New terms of a ticket type; `eventId` may be repeated but not changed."""

    event_id: UUID | None = None


class TicketType(Answer):
    """A ticket type as its organizer sees it."""

    id: UUID
    event_id: UUID
    name: str
    description: str | None
    price: Money
    currency: str
    quantity_available: int
    quantity_sold: int
    quantity_held: int
    sale_start_date: Instant | None
    sale_end_date: Instant | None
    per_person_limit: int
    venue_zone: str | None
    created_at: Instant


class TypeOnSale(Answer):
    """A ticket type as a buyer sees it."""

    id: UUID
    name: str
    description: str | None
    price: Money
    currency: str
    venue_zone: str | None
    per_person_limit: int
    available: int
    status: SaleStatus


class Availability(Answer):
    """What can be bought for an event, as of an instant."""

    event_id: UUID
    as_of: Instant
    ticket_types: list[TypeOnSale]


# ---- reservations and purchases


class ReserveItem(Body):
    """So many tickets of one type."""

    ticket_type_id: UUID
    quantity: Quantity


class ReserveRequest(Body):
    """Seats to hold, all or none; at most 100 tickets."""

    event_id: UUID
    items: Annotated[list[ReserveItem], Field(min_length=1, max_length=MAX_TYPES_PER_RESERVATION)]

    @field_validator("items")
    @classmethod
    def _no_more_than_one_mail_shows(cls, items: list[ReserveItem]) -> list[ReserveItem]:
        if sum(item.quantity for item in items) > MAX_TICKETS_PER_RESERVATION:
            raise ValueError(f"At most {MAX_TICKETS_PER_RESERVATION} tickets at once")
        return items


class OrderItem(Answer):
    """So many tickets of one type at the price frozen when they were held."""

    ticket_type_id: UUID
    name: str
    quantity: int
    unit_price: Money
    total_price: Money


class Reservation(Answer):
    """Held seats, until `reserved_until`."""

    reservation_id: UUID
    event_id: UUID
    items: list[OrderItem]
    total_amount: Money
    currency: str
    reserved_until: Instant


class PaymentMethod(Body):
    """How the buyer pays; `token` is Stripe's name of a card, never a card. `paypal` needs none: the order tells where
    the buyer approves the payment.
    """

    type: Literal["stripe", "paypal", "free"]
    token: PaymentToken | None = None


class PurchaseRequest(Body):
    """Buy what a reservation holds; `holder_names` go to the tickets in the order of its items."""

    reservation_id: UUID
    payment_method: PaymentMethod
    holder_names: (
        Annotated[list[HolderName], Field(max_length=MAX_TYPES_PER_RESERVATION * MAX_QUANTITY)] | None
    ) = None


class PurchaseAccepted(Answer):
    """The purchase is under way; `status_url` tells how it goes on."""

    order_id: UUID
    order_number: str
    status: OrderStatus
    status_url: str


# ---- tickets


class Ticket(Answer):
    """A ticket as its holder sees it; `delivery_status` is of the newest mail that carries its order's tickets."""

    id: UUID
    ticket_number: str
    order_id: UUID
    event_id: UUID
    ticket_type_id: UUID
    ticket_type: str
    venue_zone: str | None
    holder_name: str | None
    status: TicketStatus
    checked_in_at: Instant | None
    delivery_status: DeliveryStatus
    qr_code: str
    qr_code_image_url: str
    created_at: Instant


class Order(Answer):
    """An order as the tickets service knows it.

    `payment_status` and `refunded_amount` are payments' own, brought by its messages: seconds old at most.
    """

    order_id: UUID
    order_number: str
    event_id: UUID
    event_name: str
    event_date: Instant
    status: OrderStatus
    items: list[OrderItem]
    total_amount: Money
    currency: str
    payment_status: PaymentStatus
    refunded_amount: Money
    pay_by: Instant
    created_at: Instant
    delivery_status: DeliveryStatus
    tickets: list[Ticket]


class CheckInRequest(Body):
    """What the scanner at the door read."""

    qr_code: Annotated[str, Field(min_length=1, max_length=1000)]


class CheckedIn(Answer):
    """Whom to let in."""

    ticket_id: UUID
    ticket_number: str
    event_id: UUID
    holder_name: str | None
    ticket_type: str
    venue_zone: str | None
    checked_in_at: Instant


class ResendAccepted(Answer):
    """The mail is on its way."""

    ticket_id: UUID
    status: Literal["PENDING"]


class TicketKey(Answer):
    """A public key that verifies QR codes, as a JWK (RFC 8037)."""

    kid: str
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    x: str


class TicketKeys(Answer):
    """The public keys that verify QR codes offline."""

    keys: list[TicketKey]


# ---- the saga


class SagaInput(Body):
    """What every task of the purchase is given."""

    order_id: UUID


class NotifyInput(SagaInput):
    """How the purchase ended."""

    outcome: Literal["issued", "cancelled"]


class SagaPaymentMethod(Answer):
    """How the order is to be paid."""

    type: Literal["stripe", "paypal", "free"]
    token: str | None


class Outcome(Answer):
    """A task's outcome when it has nothing else to say."""

    outcome: str
    reason: str | None = None


class Bound(Answer):
    """What Charge needs to know of an order whose seats are bound."""

    outcome: Literal["bound"] = "bound"
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    organizer_id: UUID
    items: list[OrderItem]
    total_amount: Money
    currency: str
    pay_by: Instant
    seconds_to_pay: Annotated[int, Field(ge=1)]
    payment_method: SagaPaymentMethod
