"""What an order's state means to its buyer, to the saga and to a refund."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from functions.payments import charging
from functions.payments.models import Attempt, AttemptStatus, Order, PaymentStatus
from shared.clock import now

ORDER = Order(
    id=uuid4(),
    user_id=uuid4(),
    event_id=uuid4(),
    organizer_id=uuid4(),
    order_number="BO-1",
    total_amount=Decimal("99.00"),
    currency="USD",
    payment_status=PaymentStatus.PENDING,
    payment_method="stripe",
    payment_gateway_transaction_id=None,
    client_secret=None,
    failure_code=None,
    failure_message=None,
    pay_by=now(),
    captured_amount=Decimal("99.00"),
    refunding_amount=Decimal("10.00"),
    refunded_amount=Decimal("20.00"),
    cancel_requested_at=None,
    tickets=None,
    released_at=None,
    mail_status="PENDING",
    tickets_version=0,
    dispute=None,
    version=1,
    created_at=now(),
)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("PENDING", "PENDING"),
        ("REQUIRES_ACTION", "REQUIRES_ACTION"),
        ("PAYMENT_FAILED", "PAYMENT_FAILED"),
        ("PAID", "PENDING"),
        ("PARTIALLY_REFUNDED", "PENDING"),
        ("CANCELLED", "CANCELLED"),
        ("REFUNDED", "REFUNDED"),
        ("DISPUTED", "DISPUTED"),
    ],
)
def test_only_what_promises_tickets_waits_for_them(status: str, shown: str) -> None:
    order = replace(ORDER, payment_status=PaymentStatus(status))
    assert order.shown_status == shown
    assert replace(order, tickets=[]).shown_status == status


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("PENDING", "waiting"),
        ("REQUIRES_ACTION", "action_required"),
        ("PAYMENT_FAILED", "declined"),
        ("PAID", "paid"),
        ("PARTIALLY_REFUNDED", "paid"),
        ("DISPUTED", "paid"),
        ("CANCELLED", "waiting"),
        ("REFUNDED", "waiting"),
    ],
)
def test_the_saga_issues_tickets_only_for_money_that_is_here(status: str, outcome: str) -> None:
    assert charging.outcome_of(replace(ORDER, payment_status=PaymentStatus(status))) == outcome


def test_what_is_about_to_be_refunded_cannot_be_refunded_again() -> None:
    assert ORDER.refundable_amount == Decimal("69.00")


def test_an_attempt_is_hopeless_once_patience_is_over() -> None:
    attempt = Attempt(
        uuid4(), ORDER.id, ORDER.total_amount, AttemptStatus.OPEN, "stripe", "pm_card_visa", now()
    )
    assert not charging.is_hopeless(attempt, attempt.created_at + timedelta(seconds=10), 10)
    assert charging.is_hopeless(attempt, attempt.created_at + timedelta(seconds=10.1), 10)
