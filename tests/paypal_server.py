"""The simulated PayPal as a process of its own, and an endpoint that receives its webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.payments.gateways.paypal_client import PayPalSecret
from local.paypal_simulator import certificates
from local.ports import free_port
from tests.provider_server import Endpoint, ProviderServer

CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "simulated-client", "simulated-secret", "WH-SIMULATED-0123456789"


@dataclass
class PayPalServer(ProviderServer):
    """A simulated account at PayPal."""

    def words(self) -> list[str]:
        """See `ProviderServer.words`."""
        return [
            "local.paypal_simulator",
            *("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET, "--webhook-id", WEBHOOK_ID),
        ]

    @property
    def secret(self) -> PayPalSecret:
        """What our secret holds of this account."""
        return {
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            "webhookId": WEBHOOK_ID,
            "apiBase": self.url,
            "rootCertificate": self.signer.root,
        }

    @property
    def signer(self) -> certificates.Signer:
        """What its webhooks are signed with."""
        return certificates.of(self.state)

    def approve(self, intent_id: str, funding: str = "balance") -> dict[str, Any]:
        """The buyer approves at PayPal; the PayPal order."""
        body = {"outcome": "succeed", "funding": funding}
        status, order = self.control("POST", f"orders/{intent_id}/authenticate", body)
        assert status == 200, order
        answer: dict[str, Any] = order
        return answer

    def review(self, intent_id: str, outcome: str) -> None:
        """PayPal decides on a payment that it reviews."""
        status, answer = self.control("POST", f"orders/{intent_id}/review", {"outcome": outcome})
        assert status == 200, answer

    def dispute(self, capture_id: str, outcome: str) -> None:
        """What becomes of a dispute: `escalate`, `win` or `lose`."""
        status, answer = self.control("POST", f"disputes/{capture_id}", {"outcome": outcome})
        assert status == 200, answer


@contextmanager
def running_paypal(state: Path) -> Iterator[tuple[PayPalServer, Endpoint]]:
    """A simulated account and the endpoint its webhooks go to."""
    endpoint = Endpoint()
    server = PayPalServer(state, free_port(), endpoint.url)
    server.start()
    try:
        yield server, endpoint
    finally:
        if server.process and server.process.poll() is None:
            server.stop()
        endpoint.close()
