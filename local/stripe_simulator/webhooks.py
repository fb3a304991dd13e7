"""How Stripe signs what it delivers: https://docs.stripe.com/webhooks#verify-manually."""

import hashlib
import hmac
import time

from local.simulation.deliveries import Manners
from local.stripe_simulator import followups
from local.stripe_simulator.events import API_VERSION


def signature(payload: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `timestamp.payload`."""
    digest = hmac.new(secret.encode(), b"%d.%s" % (timestamp, payload), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def manners(secret: str) -> Manners:
    """Deliveries signed with the endpoint's secret."""

    def sign(payload: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, secret, int(time.time())),
            "User-Agent": f"Stripe/1.0 (simulated; {API_VERSION})",
        }

    return Manners(sign, followups.run_due, followups.next_due)
