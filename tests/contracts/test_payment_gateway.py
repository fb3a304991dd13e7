"""What the use cases of payments rely on of a `PaymentGateway`, whichever provider is behind it.

Runs against the simulated Stripe and the simulated PayPal, the buyer's part included. What is particular to one of them
is in test_stripe_gateway.py and test_paypal_gateway.py, which also run against the real ones where there are keys.
"""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest

from functions.payments.gateways.gateway import (
    BadSignature,
    GatewayRefused,
    GatewayTimeout,
    GatewayUnavailable,
    PaymentGateway,
    PaymentOutcome,
)
from tests.contracts.tills import AMOUNT, PayPalTill, StripeTill, Till
from tests.provider_server import REPOSITORY, eventually


@pytest.fixture(params=["stripe", "paypal"])
def till(request: pytest.FixtureRequest) -> Iterator[Till]:
    """Each provider in turn."""
    server, endpoint = request.getfixturevalue(f"_{request.param}")
    till: Till = StripeTill(server, endpoint) if request.param == "stripe" else PayPalTill(server, endpoint)
    yield till
    server.control("DELETE", "faults")


@pytest.fixture
def gateway(till: Till) -> PaymentGateway:
    return till.gateway()


@pytest.fixture
def impatient(till: Till) -> PaymentGateway:
    """Impatient and without retries: each call shows what one answer does to it."""
    return till.gateway(timeout_seconds=0.7, retries=0)


@pytest.fixture
def order_id() -> str:
    return str(uuid4())


def test_the_order_is_paid(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    payment = till.pay(gateway, order_id)
    assert payment.outcome is PaymentOutcome.PAID
    assert (payment.amount, payment.amount_refunded, payment.currency) == (AMOUNT, Decimal("0.00"), "USD")
    assert (payment.order_id, payment.failure, payment.disputed) == (order_id, None, False)
    assert payment.charge_id is not None
    assert gateway.fetch(payment.intent_id) == payment
    assert gateway.fetch_by_charge(payment.charge_id) == payment


def test_a_decline_is_an_outcome_that_the_buyer_may_read(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    payment = till.pay(gateway, order_id, "declined")
    assert payment.outcome in (PaymentOutcome.DECLINED, PaymentOutcome.ACTION_REQUIRED)
    assert payment.failure is not None
    assert payment.failure.message.endswith(".")
    assert (payment.outcome is PaymentOutcome.ACTION_REQUIRED) == (payment.approval_url is not None)


def test_another_attempt_pays_the_same_intent(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    declined = till.pay(gateway, order_id, "declined")
    till.server.control("POST", f"orders/{declined.intent_id}/authenticate", {"outcome": "succeed"})
    paid = till.pay(gateway, order_id, intent_id=declined.intent_id)
    assert (paid.outcome, paid.intent_id, paid.failure) == (PaymentOutcome.PAID, declined.intent_id, None)


def test_an_intent_whose_id_was_lost_is_found_again(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    first = till.pay(gateway, order_id, "declined")
    assert till.pay(gateway, order_id).intent_id == first.intent_id


def test_the_same_attempt_gives_its_own_answer_and_charges_once(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    key = str(uuid4())
    first = till.pay(gateway, order_id, attempt_key=key)
    assert till.pay(gateway, order_id, attempt_key=key) == first


def test_a_paid_order_is_not_charged_again(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    first = till.pay(gateway, order_id)
    assert till.pay(gateway, order_id, intent_id=first.intent_id) == first
    assert till.pay(gateway, order_id, "declined", intent_id=first.intent_id) == first


def test_the_buyer_s_own_step_is_an_outcome_with_what_the_browser_needs(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    payment = till.begin(gateway, order_id)
    assert payment.outcome is PaymentOutcome.ACTION_REQUIRED
    assert payment.client_secret or payment.approval_url
    assert gateway.fetch(payment.intent_id).outcome is PaymentOutcome.ACTION_REQUIRED


def test_after_the_buyer_s_own_step_the_money_comes(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    payment = till.begin(gateway, order_id)
    till.act(payment)
    assert gateway.fetch(payment.intent_id).outcome in (PaymentOutcome.PAID, PaymentOutcome.APPROVED)
    assert till.pay(gateway, order_id, intent_id=payment.intent_id).outcome is PaymentOutcome.PAID


def test_a_cancelled_payment_takes_no_money_any_more(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    payment = till.begin(gateway, order_id)
    assert gateway.cancel(payment.intent_id).outcome == "cancelled"
    assert gateway.cancel(payment.intent_id).outcome == "cancelled"
    late = till.pay(gateway, order_id, intent_id=payment.intent_id)
    assert late.outcome is PaymentOutcome.CANCELLED


def test_an_order_has_another_payment_once_its_first_was_cancelled(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    first = till.begin(gateway, order_id)
    gateway.cancel(first.intent_id)
    opened = gateway.open(
        order_id=order_id,
        amount=AMOUNT,
        currency="USD",
        payment_number=2,
        metadata={"order_number": f"BO-{order_id}"},
    )
    second = till.pay(gateway, order_id, payment_number=2)
    assert opened is not None
    assert (second.outcome, second.intent_id) == (PaymentOutcome.PAID, opened.intent_id)
    assert second.intent_id != first.intent_id


def test_cancelling_too_late_says_that_the_money_is_here(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    paid = till.pay(gateway, order_id)
    cancellation = gateway.cancel(paid.intent_id)
    assert (cancellation.outcome, cancellation.payment) == ("paid", paid)


def test_a_refund_is_made_once_per_key(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    paid = till.pay(gateway, order_id)
    key = str(uuid4())
    first = gateway.refund(
        intent_id=paid.intent_id, amount=Decimal("40.00"), key=key, reason="seat sold twice"
    )
    assert (first.status, first.amount, first.key) == ("succeeded", Decimal("40.00"), key)
    assert first.intent_id == paid.intent_id
    assert gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=key) == first
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("40.00")
    assert gateway.fetch_refund(first.refund_id) == first


def test_more_than_was_paid_is_not_given_back(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    paid = till.pay(gateway, order_id)
    with pytest.raises(GatewayRefused):
        gateway.refund(intent_id=paid.intent_id, amount=Decimal("99.01"), key=str(uuid4()))
    gateway.refund(intent_id=paid.intent_id, amount=AMOUNT, key=str(uuid4()))
    with pytest.raises(GatewayRefused) as refusal:
        gateway.refund(intent_id=paid.intent_id, amount=Decimal("1.00"), key=str(uuid4()))
    assert refusal.value.provider_code == till.refunded_already


def test_a_refund_may_still_fail(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    paid = till.pay(gateway, order_id, "refund_fails")
    refund = gateway.refund(intent_id=paid.intent_id, amount=AMOUNT, key=str(uuid4()))
    eventually(lambda: gateway.fetch_refund(refund.refund_id).status == "failed", seconds=30)
    assert gateway.fetch(paid.intent_id).amount_refunded == Decimal("0.00")


def test_a_dispute_is_seen(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    paid = till.pay(gateway, order_id, "dispute")
    eventually(lambda: gateway.fetch(paid.intent_id).disputed, seconds=30)


def test_a_wrong_secret_is_refused_and_told_to_nobody(till: Till, order_id: str) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        till.pay(till.gateway(wrong=True), order_id)
    assert "wrong" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_unknown_intent_is_our_mistake(till: Till, gateway: PaymentGateway) -> None:
    with pytest.raises(GatewayRefused):
        gateway.fetch(till.unknown)


def test_no_answer_is_a_timeout_and_the_same_attempt_learns_the_outcome(
    till: Till, impatient: PaymentGateway, order_id: str
) -> None:
    key = str(uuid4())
    till.server.fault("timeout", operation=till.charging)
    with pytest.raises(GatewayTimeout):
        till.pay(impatient, order_id, attempt_key=key)
    assert till.pay(impatient, order_id, attempt_key=key).outcome is PaymentOutcome.PAID


@pytest.mark.parametrize("mode", ["kill_before", "kill_after", "error"])
def test_a_lost_connection_is_a_retry_away(
    till: Till, impatient: PaymentGateway, order_id: str, mode: str
) -> None:
    key = str(uuid4())
    till.server.fault(mode, operation=till.charging)
    with pytest.raises(GatewayUnavailable):
        till.pay(impatient, order_id, attempt_key=key)
    assert till.pay(till.gateway(), order_id, attempt_key=key).outcome is PaymentOutcome.PAID


def test_trouble_is_tried_again_under_the_same_key(till: Till, order_id: str) -> None:
    till.server.fault("kill_after", operation=till.charging)
    paid = till.pay(till.gateway(retries=1), order_id)
    assert paid.outcome is PaymentOutcome.PAID


def test_a_provider_that_is_down_is_unavailable(till: Till, order_id: str) -> None:
    with pytest.raises(GatewayUnavailable):
        till.pay(till.gateway(base="http://127.0.0.1:9", retries=0), order_id)


def test_a_refund_survives_trouble_and_is_still_made_once(
    till: Till, impatient: PaymentGateway, order_id: str
) -> None:
    paid = till.pay(impatient, order_id)
    key = str(uuid4())
    for mode, error in (("error", GatewayUnavailable), ("timeout", GatewayTimeout)):
        till.server.fault(mode, operation=till.refunding)
        with pytest.raises(error):
            impatient.refund(intent_id=paid.intent_id, amount=Decimal("10.00"), key=key)
    refund = impatient.refund(intent_id=paid.intent_id, amount=Decimal("10.00"), key=key)
    assert refund.status == "succeeded"
    assert impatient.fetch(paid.intent_id).amount_refunded == Decimal("10.00")


def test_a_webhook_names_what_happened_to_which_payment(
    till: Till, gateway: PaymentGateway, order_id: str
) -> None:
    paid = till.pay(gateway, order_id)
    assert paid.charge_id
    gateway.refund(intent_id=paid.intent_id, amount=Decimal("10.00"), key=str(uuid4()))
    for kind in (till.paid, till.refunded):
        eventually(lambda kind=kind: till.endpoint.of(paid.charge_id or "", kind))  # type: ignore[misc]
        delivery = till.endpoint.of(paid.charge_id, kind)[0]
        event = gateway.verify_webhook(delivery.body, delivery.headers)
        assert (event.id, event.type) == (delivery.event["id"], kind)
        assert paid.intent_id == event.intent_id or paid.charge_id == event.charge_id


def test_a_webhook_that_was_not_signed_is_refused(till: Till, gateway: PaymentGateway, order_id: str) -> None:
    paid = till.pay(gateway, order_id)
    assert paid.charge_id
    eventually(lambda: till.endpoint.of(paid.charge_id or "", till.paid))
    genuine = till.endpoint.of(paid.charge_id, till.paid)[0]
    gateway.verify_webhook(genuine.body, genuine.headers)
    forgeries = [
        (genuine.body.replace(b"99", b"98"), genuine.headers),
        (genuine.body, {}),
        (b"\xff\xfe", genuine.headers),
    ]
    signatures = [name for name in genuine.headers if name in ("stripe-signature", "paypal-transmission-sig")]
    forgeries += [
        (genuine.body, genuine.headers | {signatures[0]: wrong}) for wrong in ("", "nonsense", "AA==")
    ]
    for body, headers in forgeries:
        with pytest.raises(BadSignature):
            gateway.verify_webhook(body, headers)


@pytest.mark.parametrize(
    ("module", "make", "library"),
    [
        (
            "stripe_gateway",
            "StripeGateway({'secretKey': '', 'webhookSecret': '', 'publishableKey': ''})",
            "stripe",
        ),
        (
            "paypal_gateway",
            "PayPalGateway({'clientId': '', 'clientSecret': '', 'webhookId': ''}, public_url='')",
            "paypalserversdk",
        ),
    ],
)
def test_the_library_is_imported_only_by_who_calls_it(module: str, make: str, library: str) -> None:
    script = (
        f"import sys; from functions.payments.gateways.{module} import *; import functions.payments.gateways.{module}"
        f" as m; m.{make}; sys.exit('{library}' in sys.modules or 'cryptography' in sys.modules)"
    )
    python = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={"PYTHONPATH": ".:layers/shared/python"},
        check=False,
    )
    assert python.returncode == 0
