"""What the provider says of a payment, applied to its order.

The state only moves forward, whoever brings the news and however often: a paid order stays paid, and a stale
"declined" changes nothing. Every function expects the order locked, in the transaction that ends with it.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.payments import late_money, second_payments
from functions.payments.gateways.gateway import Failure, PaymentOutcome, PaymentResult
from functions.payments.models import BOUGHT, Attempt, AttemptStatus, Order, PaymentStatus
from functions.payments.repository import attempts, orders, task_tokens
from shared import business, outbox
from shared.contracts import OrderPaid, PaymentFailed
from shared.database import Sql
from shared.log import logger

log = logger("payments")

DECLINED = Failure("generic_decline", "Your card was declined.")
WRONG_AMOUNT = Failure(
    "wrong_amount", "The payment was not of this order's price and goes back. Please try again."
)
CANCELLED_THERE = Failure("payment_cancelled", "This payment was cancelled at the payment provider.")
PAID_OUTPUT = {"outcome": "paid"}

_ATTEMPT_STATUS = {
    PaymentOutcome.PAID: AttemptStatus.SUCCEEDED,
    PaymentOutcome.ACTION_REQUIRED: AttemptStatus.ACTION_REQUIRED,
    PaymentOutcome.APPROVED: AttemptStatus.ACTION_REQUIRED,
    PaymentOutcome.DECLINED: AttemptStatus.DECLINED,
    PaymentOutcome.PROCESSING: AttemptStatus.PROCESSING,
    PaymentOutcome.UNPAID: AttemptStatus.FAILED,
    PaymentOutcome.CANCELLED: AttemptStatus.CANCELLED,
}


def apply(
    sql: Sql, order: Order, result: PaymentResult, at: datetime, *, attempt: Attempt | None = None
) -> Order:
    """Apply the state of the order's payment; `attempt` is what brought it about, None for a webhook's news."""
    if result.outcome is PaymentOutcome.PAID:
        return _paid(sql, order, result, attempt, at)
    order = _with_intent(order, result)
    if attempt is None:
        # News of a payment that an attempt of ours is about to decide are that attempt's to tell.
        if not order.is_undecided or attempts.open_of(sql, order.id) is not None:
            return order
    elif not attempts.close(
        sql,
        attempt.id,
        _ATTEMPT_STATUS[result.outcome],
        at,
        intent_id=result.intent_id,
        answer=_answer(result),
    ):
        return order  # given up, or cancelled with its order: whoever did that said what became of the order
    if not order.is_undecided or order.cancel_requested_at is not None:
        return order
    return _unpaid(sql, order, result, attempt, at)


def fail(
    sql: Sql,
    order: Order,
    attempt: Attempt,
    status: AttemptStatus,
    failure: Failure,
    at: datetime,
    *,
    tell: bool = True,
) -> Order:
    """End an attempt without the provider's verdict; the buyer may try again, and hears of it by mail if `tell`."""
    if not attempts.close(sql, attempt.id, status, at, answer={"code": failure.code}):
        return order
    if not order.is_undecided or order.cancel_requested_at is not None:
        return order
    return _failed(sql, order, attempt, failure, at, tell=tell)


def is_its_price(order: Order, payment: PaymentResult) -> bool:
    """Whether the payment is of what the order costs."""
    return (payment.amount, payment.currency) == (order.total_amount, order.currency)


def give_up(sql: Sql, order: Order, provider: str, payment: PaymentResult, at: datetime) -> Order:
    """Whatever made the provider take another amount: it goes back, and the order is paid by another payment."""
    known = order.version
    order = second_payments.found(sql, order, provider, payment, at, happened="PAID_WRONG_AMOUNT")
    if order.version == known or order.payment_gateway_transaction_id not in (None, payment.intent_id):
        return order
    return _without_payment(sql, order, at)


def pay_nothing(sql: Sql, order: Order, at: datetime) -> Order:
    """A free order is paid as soon as it is there."""
    return _bought(sql, order, at)


def _paid(sql: Sql, order: Order, result: PaymentResult, attempt: Attempt | None, at: datetime) -> Order:
    if not is_its_price(order, result):
        order = give_up(sql, order, order.payment_method, result, at)
        return fail(sql, order, attempt, AttemptStatus.FAILED, WRONG_AMOUNT, at) if attempt else order
    if attempt is not None:
        attempts.close(
            sql, attempt.id, AttemptStatus.SUCCEEDED, at, intent_id=result.intent_id, answer=_answer(result)
        )
    if order.captured_amount > 0 or order.payment_status in BOUGHT:
        if attempt is not None and order.payment_gateway_transaction_id not in (None, result.intent_id):
            return second_payments.found(sql, order, attempt.payment_method, result, at)
        return order
    attempts.settle(sql, order.id, AttemptStatus.SUCCEEDED, at)
    order = _with_intent(order, result)
    if order.is_undecided and order.released_at is None:
        return _bought(sql, order, at)
    if order.is_undecided:
        over = replace(order, payment_status=PaymentStatus.CANCELLED)
        order = orders.save(sql, over, "CANCELLED", at, reason="RELEASED")
    return _too_late(sql, order, at)


def _without_payment(sql: Sql, order: Order, at: datetime) -> Order:
    """The payment that the order has is none any more: whoever pays again makes another."""
    number = order.payment_number + 1
    changed = replace(order, payment_gateway_transaction_id=None, payment_number=number)
    return orders.save(sql, changed, "PAYMENT_GIVEN_UP", at)


def _bought(sql: Sql, order: Order, at: datetime) -> Order:
    order = orders.save(
        sql,
        replace(
            order,
            payment_status=PaymentStatus.PAID,
            captured_amount=order.total_amount,
            client_secret=None,
            failure_code=None,
            failure_message=None,
        ),
        "PAID",
        at,
    )
    business.count(sql, "payments", "OrdersPaid", order.event_id)
    paid = OrderPaid(
        order_id=order.id,
        user_id=order.user_id,
        event_id=order.event_id,
        amount=order.total_amount,
        currency=order.currency,
    )
    outbox.publish(sql, paid, subject=order.id, version=order.version)
    token = task_tokens.take(sql, order.id)
    if token is not None:
        outbox.wake(sql, token, PAID_OUTPUT, subject=order.id)
    return order


def _too_late(sql: Sql, order: Order, at: datetime) -> Order:
    """The order is over, or its seats are: the money buys them again if there are any, which tickets answers."""
    log.warning("money arrived for an order that is over", extra={"order_id": str(order.id)})
    order = orders.save(sql, replace(order, captured_amount=order.total_amount), "LATE_PAYMENT", at)
    late_money.ask_for_seats(sql, order)
    return order


def _unpaid(sql: Sql, order: Order, result: PaymentResult, attempt: Attempt | None, at: datetime) -> Order:
    match result.outcome:
        case PaymentOutcome.ACTION_REQUIRED:
            if order.payment_status is PaymentStatus.REQUIRES_ACTION:
                return order
            return _action_due(sql, order, result, attempt, at)
        case PaymentOutcome.DECLINED:
            return _declined(sql, order, attempt, result.failure or DECLINED, at)
        case PaymentOutcome.CANCELLED:
            return _declined(sql, _without_payment(sql, order, at), attempt, CANCELLED_THERE, at)
        case PaymentOutcome.UNPAID if attempt is not None:
            return _failed(sql, order, attempt, result.failure or DECLINED, at)
        case PaymentOutcome.PROCESSING if attempt is not None:
            return orders.save(sql, order, "PAYMENT_PROCESSING", at, **_of(attempt))
        case _:
            return order


def _action_due(
    sql: Sql, order: Order, result: PaymentResult, attempt: Attempt | None, at: datetime
) -> Order:
    """The buyer's turn; with a failure it is once more, since the provider refused what was chosen there."""
    failure = result.failure
    order = orders.save(
        sql,
        replace(
            order,
            payment_status=PaymentStatus.REQUIRES_ACTION,
            client_secret=result.client_secret,
            approval_url=result.approval_url,
            failure_code=failure.code if failure else None,
            failure_message=failure.message if failure else None,
        ),
        "ACTION_REQUIRED",
        at,
        **_of(attempt),
        **({"code": failure.code} if failure else {}),
    )
    if failure is not None and attempt is not None:
        _tell(sql, order, attempt.id, failure)
    return order


def _declined(sql: Sql, order: Order, attempt: Attempt | None, failure: Failure, at: datetime) -> Order:
    if attempt is None and order.payment_status is PaymentStatus.PAYMENT_FAILED:
        return order  # the attempt has said so already
    attempts.settle(sql, order.id, AttemptStatus.DECLINED, at)
    return _failed(sql, order, attempt, failure, at)


def _failed(
    sql: Sql,
    order: Order,
    attempt: Attempt | None,
    failure: Failure,
    at: datetime,
    *,
    tell: bool = True,
) -> Order:
    order = orders.save(
        sql,
        replace(
            order,
            payment_status=PaymentStatus.PAYMENT_FAILED,
            client_secret=None,
            failure_code=failure.code,
            failure_message=failure.message,
        ),
        "PAYMENT_FAILED",
        at,
        code=failure.code,
        **_of(attempt),
    )
    business.count(sql, "payments", "PaymentsDeclined", order.event_id)
    if tell:
        last = attempt.id if attempt else attempts.last_of(sql, order.id)
        _tell(sql, order, last, failure)
    return order


def _tell(sql: Sql, order: Order, attempt_id: Any, failure: Failure) -> None:
    failed = PaymentFailed(
        order_id=order.id,
        order_number=order.order_number,
        user_id=order.user_id,
        event_id=order.event_id,
        attempt_id=attempt_id,
        code=failure.code,
        message=failure.message,
        pay_by=order.pay_by,
    )
    outbox.publish(sql, failed, subject=order.id, version=order.version)


def _with_intent(order: Order, result: PaymentResult) -> Order:
    return replace(order, payment_gateway_transaction_id=result.intent_id)


def _answer(result: PaymentResult) -> dict[str, Any]:
    """What the audit trail keeps of the provider's answer: no secret, no personal data."""
    return {
        "outcome": result.outcome,
        "charge": result.charge_id,
        "code": result.failure.code if result.failure else None,
    }


def _of(attempt: Attempt | None) -> dict[str, str]:
    return {"attemptId": str(attempt.id)} if attempt else {}
