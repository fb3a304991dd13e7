"""What the saga's tasks are given and what they answer."""

from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from shared.wire import Answer, Body, Currency, Instant, Money


class SagaInput(Body):
    """Base of what a saga task is given; what it does not know belongs to another task."""

    model_config = ConfigDict(extra="ignore")


class ReservedItem(SagaInput):
    """A line of the order, its price frozen when the seats were held."""

    ticket_type_id: UUID
    name: str
    quantity: int
    unit_price: Money
    total_price: Money


class ReservedMethod(SagaInput):
    """How the buyer chose to pay when buying."""

    type: str
    token: str | None = None


class Reservation(SagaInput):
    """What tickets' Reserve task answers: the facts of the order."""

    outcome: Literal["bound"]
    order_id: UUID
    order_number: str
    user_id: UUID
    event_id: UUID
    organizer_id: UUID
    items: list[ReservedItem]
    total_amount: Money
    currency: Currency
    pay_by: Instant
    seconds_to_pay: int
    payment_method: ReservedMethod


class ChargeInput(SagaInput):
    """Input of Charge."""

    reservation: Reservation


class Charged(Answer):
    """Output of Charge; `refunded` when the money goes back already, since no tickets came of it."""

    outcome: Literal["paid", "action_required", "declined", "waiting", "refunded"]


class AwaitInput(SagaInput):
    """Input of AwaitPayment; `outcome` is Charge's, or `unavailable` when Charge failed for good.

    Executions that began before the reservation was passed on wait without it.
    """

    order_id: UUID
    task_token: str
    outcome: str
    reservation: Reservation | None = None


class OrderInput(SagaInput):
    """Input of CancelPayment."""

    order_id: UUID


class RefundInput(SagaInput):
    """Input of RefundPayment."""

    order_id: UUID
    reason: str = "TICKETS_NOT_ISSUED"


class Cancelled(Answer):
    """Output of CancelPayment; `refunded` when the money goes back already, since no tickets came of it."""

    outcome: Literal["cancelled", "paid", "refunded"]


class Refunded(Answer):
    """Output of RefundPayment."""

    outcome: Literal["refunded"] = "refunded"
