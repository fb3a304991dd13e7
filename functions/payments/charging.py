"""Taking an order's money: record the attempt, call the provider outside any transaction, record its answer.

An order has one payment (intent) at the provider, and every attempt confirms that one again, so an order
cannot be charged twice; when the buyer changes providers, `switching` comes first. An attempt is known at the
provider by its own id; after a crash it is carried out again under that id and gives its first answer.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from functions.payments import settling
from functions.payments.gateways.gateway import Failure, GatewayRefused, PaymentGateway, PaymentResult
from functions.payments.models import (
    BOUGHT,
    ZERO,
    Attempt,
    AttemptStatus,
    ChosenMethod,
    MethodNotOffered,
    Order,
    OrderNotPayable,
    PaymentInProgress,
    PaymentStatus,
    ProcessAccepted,
    ProcessRequest,
)
from functions.payments.repository import attempts, orders
from functions.payments.saga_models import Charged, Reservation
from shared import outbox
from shared.contracts import AttemptRequested
from shared.database import Sql
from shared.errors import BadInput, NotFound, Unavailable
from shared.log import logger

log = logger("payments")

STRIPE: Literal["stripe"] = "stripe"
PAYPAL: Literal["paypal"] = "paypal"
STATUS_URL = "/api/payments/orders/{}"
REFUSED = Failure("provider_refused", "The payment could not be made this way. Try another payment method.")
UNAVAILABLE = Failure("provider_unavailable", "The payment provider could not be reached. Please try again.")
NOT_ASKED = Failure(UNAVAILABLE.code, UNAVAILABLE.message)  # the provider's circuit was open
NO_METHOD = Failure("payment_method_required", "Choose a payment method to pay this order.")


@dataclass(frozen=True)
class Due:
    """An attempt that is recorded and has to be carried out."""

    order: Order
    attempt: Attempt

    @property
    def changes_provider(self) -> bool:
        """Whether the buyer has left the provider at which the order's payment is."""
        return self.attempt.payment_method != self.order.payment_method


def begin(sql: Sql, reservation: Reservation, at: datetime) -> Due | Charged:
    """Record the order and its first attempt, or find where an earlier run of the task left them.

    What is due counts as asked from here on, whatever becomes of the caller; `not_asked` takes that back.
    """
    free = reservation.total_amount == ZERO
    orders.create(sql, reservation, None if free else uuid4(), at)
    order = orders.lock(sql, reservation.order_id)
    if order is None:
        return Charged(outcome="waiting")  # cancelled before it was begun; its purchase is over
    if free and order.is_undecided and order.cancel_requested_at is None:
        order = settling.pay_nothing(sql, order, at)
    step = due(sql, order, at)
    if step is None or step.changes_provider:  # the buyer's own attempts are the queue's
        return Charged(outcome=outcome_of(order))
    attempts.count_ask(sql, step.attempt.id, 1)
    return step


def resume(sql: Sql, attempt_id: UUID, at: datetime) -> Due | None:
    """An attempt asked for by /process, unless it has been carried out or there is no point in it any more.

    As with `begin`, it counts as asked from here on.
    """
    attempt = attempts.get(sql, attempt_id)
    order = orders.lock(sql, attempt.order_id) if attempt else None
    open_now = due(sql, order, at) if order else None
    if open_now is None or open_now.attempt.id != attempt_id:
        return None
    attempts.count_ask(sql, attempt_id, 1)
    return open_now


def not_asked(sql: Sql, due: Due) -> None:
    """Nothing was asked for what was due: the provider's circuit let nothing through, or nobody meant to."""
    attempts.count_ask(sql, due.attempt.id, -1)


def may_be_at_provider(sql: Sql, order: Order) -> bool:
    """Whether there may be a payment of the order at its provider, which has to be cancelled before another is made.

    At PayPal a payment is nothing before a buyer has been sent there: whoever could not reach PayPal may pay by card.
    """
    if order.payment_gateway_transaction_id is not None:
        return True
    return order.payment_method != PAYPAL and attempts.were_made(sql, order.id, order.payment_method)


def due(sql: Sql, order: Order, at: datetime) -> Due | None:
    """The open attempt of an order, while it may be carried out.

    After pay-by, or once cancelling has begun, nothing is asked of the provider: CancelPayment learns what an
    attempt that died half-way has done there.
    """
    if order.payment_status is not PaymentStatus.PENDING or order.cancel_requested_at or at >= order.pay_by:
        return None
    attempt = attempts.open_of(sql, order.id)
    return Due(order, attempt) if attempt else None


def carry_out(gateway: PaymentGateway, due: Due) -> PaymentResult | Failure:
    """Ask the provider for the money. No transaction is open here.

    Raises:
        GatewayUnavailable, GatewayTimeout: try again, under the same key.
    """
    order, attempt = due.order, due.attempt
    if order.payment_method != PAYPAL and (attempt.payment_token is None or order.payment_method != STRIPE):
        return NO_METHOD
    try:
        return gateway.pay(
            order_id=str(order.id),
            intent_id=order.payment_gateway_transaction_id,
            amount=attempt.amount,
            currency=order.currency,
            payment_token=attempt.payment_token,
            attempt_key=str(attempt.id),
            payment_number=order.payment_number,
            metadata=metadata_of(order),
        )
    except GatewayRefused as refused:
        log.error("provider refused a payment", extra={"provider_code": refused.provider_code})
        return REFUSED


def record(sql: Sql, attempt: Attempt, answer: PaymentResult | Failure, at: datetime) -> Charged:
    """Record the provider's answer to an attempt, whatever has become of the order meanwhile."""
    order = orders.lock(sql, attempt.order_id)
    assert order is not None
    if isinstance(answer, Failure):
        if answer is NOT_ASKED:
            attempts.count_ask(sql, attempt.id, -1)
        order = settling.fail(
            sql, order, attempt, AttemptStatus.FAILED, answer, at, tell=answer is not NO_METHOD
        )
    else:
        order = settling.apply(sql, order, answer, at, attempt=attempt)
    return Charged(outcome=outcome_of(order))


def is_hopeless(attempt: Attempt, at: datetime, patience_seconds: int) -> bool:
    """Whether the provider has been out of reach for so long that the buyer should be told."""
    return at - attempt.created_at > timedelta(seconds=patience_seconds)


def outcome_of(order: Order) -> Literal["paid", "action_required", "declined", "waiting"]:
    """The order's state as the saga's Choice reads it."""
    if order.payment_status in BOUGHT:
        return "paid"
    if order.payment_status is PaymentStatus.REQUIRES_ACTION:
        return "action_required"
    if order.payment_status is PaymentStatus.PAYMENT_FAILED:
        return "declined"
    return "waiting"


def metadata_of(order: Order) -> dict[str, str]:
    """What the provider shows beside the payment.

    The same on every call: it is part of what the create key stands for.
    """
    return {"order_number": order.order_number, "event_id": str(order.event_id)}


def request(
    sql: Sql,
    buyer_id: UUID,
    wanted: ProcessRequest,
    at: datetime,
    refusal: Unavailable | None = None,
    *,
    stuck: Unavailable | None = None,
    offered: bool = True,
) -> ProcessAccepted:
    """Record that the buyer pays again; `consumers/attempts` carries it out.

    Args:
        refusal: why the provider that the buyer chose is not asked for anything now, if it is not.
        stuck: why the provider that the order's payment is at is not, if the buyer chose another one.
        offered: whether this buyer may choose that way to pay; one that the order has already is gone on with.

    Raises:
        NotFound: no such order of this buyer.
        PaymentInProgress: an attempt has no outcome yet.
        OrderNotPayable: paid, cancelled, or past its pay-by.
        MethodNotOffered: another way to pay has to be chosen.
        Unavailable: the refusal; the seats are kept, and the order may be paid later or elsewhere. Also where the buyer
            leaves a provider that may have a payment of the order and cannot be asked to cancel it.
    """
    order = orders.lock(sql, wanted.order_id)
    if order is None or order.user_id != buyer_id:
        raise NotFound()
    _check_method(wanted.payment_method, order)
    if not order.is_undecided or order.cancel_requested_at is not None or at >= order.pay_by:
        raise OrderNotPayable()
    if order.payment_status is PaymentStatus.PENDING:
        raise PaymentInProgress()
    if not offered and wanted.payment_method.type != order.payment_method:
        raise MethodNotOffered()
    if refusal is not None:
        raise refusal
    if (
        stuck is not None
        and wanted.payment_method.type != order.payment_method
        and may_be_at_provider(sql, order)
    ):
        raise stuck
    _start(sql, order, wanted.payment_method, at)
    return ProcessAccepted(
        order_id=order.id, status=PaymentStatus.PENDING, status_url=STATUS_URL.format(order.id)
    )


def go_on(sql: Sql, order: Order, at: datetime) -> None:
    """The buyer has approved at the provider: take the money, unless that is being done or the order is over."""
    is_awaited = order.payment_status is PaymentStatus.REQUIRES_ACTION and order.payment_method == PAYPAL
    if is_awaited and order.cancel_requested_at is None and at < order.pay_by:
        _start(sql, order, ChosenMethod(type=PAYPAL), at)


def _start(sql: Sql, order: Order, method: ChosenMethod, at: datetime) -> None:
    attempt_id = uuid4()
    attempts.supersede(sql, order.id, at)
    attempts.create(sql, attempt_id, order, method.type, method.token, at)
    orders.save(
        sql,
        replace(
            order,
            payment_status=PaymentStatus.PENDING,
            client_secret=None,
            failure_code=None,
            failure_message=None,
        ),
        "PAYMENT_STARTED",
        at,
        attemptId=str(attempt_id),
    )
    command = AttemptRequested(order_id=order.id, attempt_id=attempt_id)
    outbox.send(sql, "payments-attempts", command, subject=order.id)


def _check_method(method: ChosenMethod, order: Order) -> None:
    if method.type == "free" and order.total_amount > ZERO:
        raise BadInput.field("paymentMethod.type", "This order is not free")
    if method.type == "stripe" and method.token is None:
        raise BadInput.field("paymentMethod.token", "This field is required")
