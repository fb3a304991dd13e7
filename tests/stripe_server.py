"""The simulated Stripe as a process of its own, and an endpoint that receives its webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import stripe

from local.ports import free_port
from tests.provider_server import REPOSITORY, Delivery, Endpoint, ProviderServer, eventually

SECRET_KEY = "sk_test_simulated0123456789"
WEBHOOK_SECRET = "whsec_simulated0123456789"


@dataclass
class StripeServer(ProviderServer):
    """A simulated account at Stripe."""

    def words(self) -> list[str]:
        """See `ProviderServer.words`."""
        return [
            "local.stripe_simulator",
            *("--secret-key", SECRET_KEY, "--webhook-secret", WEBHOOK_SECRET),
        ]

    def client(self, *, timeout: float = 10, retries: int = 0, key: str = SECRET_KEY) -> stripe.StripeClient:
        """The official library, talking to this account."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=timeout),
        )


@contextmanager
def running_stripe(state: Path) -> Iterator[tuple[StripeServer, Endpoint]]:
    """A simulated account and the endpoint its webhooks go to."""
    endpoint = Endpoint()
    server = StripeServer(state, free_port(), endpoint.url)
    server.start()
    try:
        yield server, endpoint
    finally:
        if server.process and server.process.poll() is None:
            server.stop()
        endpoint.close()


__all__ = [
    "REPOSITORY",
    "SECRET_KEY",
    "WEBHOOK_SECRET",
    "Delivery",
    "Endpoint",
    "StripeServer",
    "eventually",
    "running_stripe",
]
