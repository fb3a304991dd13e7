"""Contracts run against the simulated Stripe, and against Stripe's own test mode when STRIPE_TEST_KEY is set."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import stripe

from tests.paypal_server import PayPalServer, running_paypal
from tests.stripe_server import SECRET_KEY, WEBHOOK_SECRET, Endpoint, StripeServer, running_stripe

STRIPE_TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")


@dataclass
class Account:
    """A Stripe account under contract.

    Attributes:
        base: address of its API; None for Stripe's own.
    """

    key: str
    base: str | None

    def client(self, key: str | None = None) -> stripe.StripeClient:
        """The official library; without retries, so that a test sees the first answer."""
        return stripe.StripeClient(
            key or self.key, base_addresses={"api": self.base or stripe.DEFAULT_API_BASE}
        )


@pytest.fixture(scope="session")
def _stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StripeServer, Endpoint]]:
    with running_stripe(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture(scope="session")
def _paypal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PayPalServer, Endpoint]]:
    with running_paypal(tmp_path_factory.mktemp("paypal")) as running:
        yield running


@pytest.fixture(params=["simulator", "stripe"] if STRIPE_TEST_KEY else ["simulator"])
def account(request: pytest.FixtureRequest) -> Account:
    """Each test of a contract runs once with each account that there is: Stripe's own if STRIPE_TEST_KEY is set."""
    if request.param == "simulator":
        server, _ = request.getfixturevalue("_stripe")
        return Account(SECRET_KEY, server.url)
    key = STRIPE_TEST_KEY
    assert key.startswith(("sk_test_", "rk_test_")), "contracts run in test mode only"
    return Account(key, None)


@pytest.fixture
def client(account: Account) -> stripe.StripeClient:
    """The official library on the account under contract."""
    return account.client()


@pytest.fixture
def simulator(_stripe: tuple[StripeServer, Endpoint]) -> Iterator[StripeServer]:
    """The simulated account, where a test needs more than Stripe offers: faults, the buyer's 3-D Secure step."""
    server, endpoint = _stripe
    endpoint.status = 200
    yield server
    endpoint.status = 200
    server.control("DELETE", "faults")


@pytest.fixture
def endpoint(_stripe: tuple[StripeServer, Endpoint]) -> Endpoint:
    """Where the simulated account's webhooks arrive."""
    return _stripe[1]


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[tuple[StripeServer, Endpoint]]:
    """An account of one's own, for tests that kill it."""
    with running_stripe(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def webhook_secret() -> str:
    """Signs the simulated account's webhooks."""
    return WEBHOOK_SECRET
