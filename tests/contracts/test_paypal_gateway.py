"""What is particular to PayPal behind `PaymentGateway`, and what is tried in its sandbox.

With PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET set, what needs no buyer also runs in PayPal's sandbox.
"""

import os
import threading
from decimal import Decimal
from unittest.mock import create_autospec
from uuid import uuid4

import pytest

from functions.payments.gateways.gateway import (
    GatewayRefused,
    GatewayUnavailable,
    GatewayUndecided,
    PaymentGateway,
    PaymentOutcome,
)
from functions.payments.gateways.paypal_client import PayPalSecret
from functions.payments.gateways.paypal_gateway import PayPalGateway
from tests.contracts.paypal_account import approved, pay
from tests.contracts.paypal_account import endpoint as endpoint
from tests.contracts.paypal_account import gateway as gateway
from tests.contracts.paypal_account import order_id as order_id
from tests.contracts.paypal_account import paypal as paypal
from tests.contracts.tills import AMOUNT, SITE
from tests.paypal_server import PayPalServer
from tests.provider_server import eventually

SANDBOX: PayPalSecret = {
    "clientId": os.environ.get("PAYPAL_CLIENT_ID", ""),
    "clientSecret": os.environ.get("PAYPAL_CLIENT_SECRET", ""),
    "webhookId": "",
    "apiBase": "https://api-m.sandbox.paypal.com",
}


@pytest.fixture(params=["simulator", "sandbox"] if SANDBOX["clientId"] else ["simulator"])
def account(request: pytest.FixtureRequest) -> PaymentGateway:
    """Each account that there is: PayPal's sandbox, too, if its keys are set."""
    if request.param == "simulator":
        gateway: PaymentGateway = request.getfixturevalue("gateway")
        return gateway
    return PayPalGateway(SANDBOX, public_url=SITE)


def test_an_order_is_approved_at_paypal(account: PaymentGateway, order_id: str) -> None:
    due = pay(account, order_id)
    assert due.outcome is PaymentOutcome.ACTION_REQUIRED
    assert (due.approval_url or "").endswith(f"token={due.intent_id}")
    assert (due.order_id, due.amount, due.client_secret) == (order_id, AMOUNT, None)
    assert account.fetch(due.intent_id) == due
    assert pay(account, order_id).intent_id == due.intent_id


def test_an_order_that_nobody_approved_is_cancelled_at_paypal(account: PaymentGateway, order_id: str) -> None:
    due = pay(account, order_id)
    cancelled = account.cancel(due.intent_id)
    assert (cancelled.outcome, cancelled.payment.outcome) == ("cancelled", PaymentOutcome.CANCELLED)
    assert pay(account, order_id, due.intent_id).outcome is PaymentOutcome.CANCELLED


def test_an_order_that_paypal_forgot_is_cancelled(account: PaymentGateway) -> None:
    assert account.cancel("5O190127TN364715T").outcome == "cancelled"


def test_what_is_approved_after_cancelling_is_not_captured(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    due = pay(gateway, order_id)
    gateway.cancel(due.intent_id)
    paypal.approve(due.intent_id)
    assert gateway.fetch(due.intent_id).outcome is PaymentOutcome.CANCELLED
    assert pay(gateway, order_id, due.intent_id).outcome is PaymentOutcome.CANCELLED


def test_a_capture_on_its_way_while_cancelling_is_refused_or_found(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    """The capture has left us and is slow on its way; meanwhile the order is cancelled: no money is taken."""
    intent_id = approved(gateway, paypal, order_id, "balance")
    paypal.fault("slow", operation="orders.capture", seconds=0.5)
    outcomes: list[PaymentOutcome] = []
    capturing = threading.Thread(target=lambda: outcomes.append(pay(gateway, order_id, intent_id).outcome))
    capturing.start()
    eventually(lambda: not paypal.control("GET", "faults")[1]["items"])
    assert gateway.cancel(intent_id).outcome == "cancelled"
    capturing.join()
    assert outcomes == [PaymentOutcome.CANCELLED]
    assert gateway.fetch(intent_id).charge_id is None


def test_what_paypal_neither_changes_nor_captured_is_not_cancelled(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = approved(gateway, paypal, order_id, "balance")
    refusal = GatewayRefused("orders.patch", "NOT_PATCHABLE")
    refusing = create_autospec(gateway._client.patch_order, side_effect=refusal)
    with monkeypatch.context() as patched:
        patched.setattr(gateway._client, "patch_order", refusing)
        with pytest.raises(GatewayUndecided):
            gateway.cancel(intent_id)
    assert gateway.cancel(intent_id).outcome == "cancelled"


def test_a_bank_account_that_pays_in_days_cannot_be_chosen(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    path = f"orders/{pay(gateway, order_id).intent_id}/authenticate"
    status, _ = paypal.control("POST", path, {"outcome": "succeed", "funding": "echeck"})
    assert status == 409
    assert paypal.control("POST", path, {"outcome": "succeed"})[0] == 200


def test_whoever_was_declined_chooses_again_at_paypal(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = approved(gateway, paypal, order_id, "declined")
    declined = pay(gateway, order_id, intent_id)
    assert declined.outcome is PaymentOutcome.ACTION_REQUIRED
    assert declined.failure is not None
    assert declined.failure.code == "instrument_declined"
    assert (declined.approval_url or "").endswith(f"token={intent_id}")
    paypal.approve(intent_id, "balance")
    assert pay(gateway, order_id, intent_id).outcome is PaymentOutcome.PAID


def test_an_account_that_may_not_pay_is_a_decline(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = approved(gateway, paypal, order_id, "refused")
    declined = pay(gateway, order_id, intent_id)
    assert (declined.outcome, declined.approval_url) == (PaymentOutcome.DECLINED, None)


@pytest.mark.parametrize(
    ("decision", "outcome"), [("succeed", PaymentOutcome.PAID), ("fail", PaymentOutcome.DECLINED)]
)
def test_a_payment_under_review_is_processing_until_paypal_decides(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str, decision: str, outcome: PaymentOutcome
) -> None:
    intent_id = approved(gateway, paypal, order_id, "review")
    assert pay(gateway, order_id, intent_id).outcome is PaymentOutcome.PROCESSING
    paypal.review(intent_id, decision)
    assert gateway.fetch(intent_id).outcome is outcome


def test_after_a_review_that_failed_the_order_has_another_paypal_order(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = approved(gateway, paypal, order_id, "review")
    pay(gateway, order_id, intent_id)
    paypal.review(intent_id, "fail")
    again = pay(gateway, order_id, intent_id)
    assert again.outcome is PaymentOutcome.ACTION_REQUIRED
    assert again.intent_id != intent_id
    assert pay(gateway, order_id, intent_id).intent_id == again.intent_id
    paypal.approve(again.intent_id)
    assert pay(gateway, order_id, again.intent_id).outcome is PaymentOutcome.PAID


def test_cancelling_a_payment_under_review_asks_for_nothing_more(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    intent_id = approved(gateway, paypal, order_id, "review")
    pay(gateway, order_id, intent_id)
    cancelled = gateway.cancel(intent_id)
    assert (cancelled.outcome, cancelled.payment.outcome) == ("cancelled", PaymentOutcome.PROCESSING)


def test_a_refund_that_paypal_has_forgotten_the_key_of_is_found_again(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    paid, key = pay(gateway, order_id, approved(gateway, paypal, order_id, "balance")), str(uuid4())
    assert paid.charge_id
    part = {"amount": {"currency_code": "USD", "value": "40.00"}, "custom_id": key}
    first = gateway._client.refund_capture(paid.charge_id, part, "of-yesterday")
    again = gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=key)
    assert again.refund_id == first["id"]
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")


def test_a_refund_on_its_way_counts_as_given_back(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    paid = pay(gateway, order_id, approved(gateway, paypal, order_id, "refund_pending"))
    refund = gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=str(uuid4()))
    assert refund.status == "pending"
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")


def test_paypal_itself_refuses_to_be_paid_twice_for_an_order(
    gateway: PayPalGateway, paypal: PayPalServer, order_id: str
) -> None:
    first = approved(gateway, paypal, order_id, "balance")
    pay(gateway, order_id, first)
    second = gateway.open(
        order_id=order_id,
        amount=AMOUNT,
        currency="USD",
        payment_number=2,
        metadata={"order_number": f"BO-{order_id}"},
    )
    assert second is not None
    paypal.approve(second.intent_id)
    with pytest.raises(GatewayRefused) as refusal:
        pay(gateway, order_id, second.intent_id)
    assert refusal.value.provider_code == "DUPLICATE_INVOICE_ID"


def test_where_paypal_takes_no_such_currency_there_is_no_payment(
    gateway: PayPalGateway, order_id: str
) -> None:
    assert gateway.open(order_id=order_id, amount=AMOUNT, currency="ZAR") is None


def test_a_token_that_paypal_takes_back_is_replaced(gateway: PayPalGateway, order_id: str) -> None:
    due = pay(gateway, order_id)
    gateway._client._library.oauth_2._o_auth_token.access_token = "gone"
    assert gateway.fetch(due.intent_id) == due


def test_no_token_is_an_outage_of_paypal(paypal: PayPalServer, order_id: str) -> None:
    paypal.fault("error", operation="oauth2.token")
    with pytest.raises(GatewayUnavailable):
        pay(PayPalGateway(paypal.secret, public_url=SITE, max_network_retries=0), order_id)
