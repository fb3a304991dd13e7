"""An account at the simulated PayPal, and payments that begin there."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from functions.payments.gateways.gateway import PaymentGateway, PaymentResult
from functions.payments.gateways.paypal_gateway import PayPalGateway
from tests.contracts.tills import SITE, ask
from tests.paypal_server import PayPalServer
from tests.provider_server import Endpoint


@pytest.fixture
def paypal(_paypal: tuple[PayPalServer, Endpoint]) -> Iterator[PayPalServer]:
    yield _paypal[0]
    _paypal[0].control("DELETE", "faults")


@pytest.fixture
def endpoint(_paypal: tuple[PayPalServer, Endpoint]) -> Endpoint:
    return _paypal[1]


@pytest.fixture
def gateway(paypal: PayPalServer) -> PayPalGateway:
    return PayPalGateway(paypal.secret, public_url=SITE, max_network_retries=0)


@pytest.fixture
def order_id() -> str:
    return str(uuid4())


def pay(gateway: PaymentGateway, order_id: str, intent_id: str | None = None) -> PaymentResult:
    """One try to pay the order; another one of the same payment if `intent_id` names it."""
    return ask(gateway, order_id, None, intent_id, str(uuid4()))


def approved(gateway: PaymentGateway, paypal: PayPalServer, order_id: str, funding: str) -> str:
    """An order that its buyer has approved, to be paid so; the payment's id."""
    intent_id = pay(gateway, order_id).intent_id
    paypal.approve(intent_id, funding)
    return intent_id
