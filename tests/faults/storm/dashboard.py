"""What our own staff, a buyer's bank and a liar do at the simulated Stripe while a storm blows."""

import hashlib
import hmac
import json
import time
from functools import cached_property
from typing import Any
from uuid import uuid4

import stripe
import urllib3

from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.faults import servers

EVIDENCE = {"win": "winning_evidence", "lose": "losing_evidence"}  # as Stripe's test mode reads it
HOUR = 3600


class Dashboard:
    """The account at Stripe, as somebody has it who was given its keys."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self._url = f"http://127.0.0.1:{servers.port_of(laptop, 'stripe')}"

    def act(self, mode: str, number: int) -> None:
        """Give money back, or let the bank decide; nothing if no payment (the `number`-th) is there for it.

        What Stripe refuses, for it was given back or is disputed, is left alone.
        """
        if mode in EVIDENCE:
            undecided = self._undecided()
            if undecided:
                self._decide(undecided[number % len(undecided)], mode)
            return
        paid = self._payments("succeeded")
        if not paid:
            return
        payment = paid[number % len(paid)]
        left = payment["amount"] - payment["amountRefunded"]
        amount = 100 if mode == "refund a part" else left
        try:
            self.refund(payment["id"], amount)
        except stripe.InvalidRequestError:
            return

    def refund(self, intent_id: str, amount: int) -> None:
        """Give back so many cents of a payment."""
        self._account.v1.refunds.create({"payment_intent": intent_id, "amount": amount})

    def decide(self, intent_id: str, mode: str) -> bool:
        """Let the bank decide a payment's dispute (`win`, `lose`); False if it has none yet."""
        found = self._undecided(intent_id)
        for dispute in found:
            self._decide(dispute, mode)
        return bool(found)

    def lie(self, client: Client, mode: str, number: int) -> tuple[int, bool]:
        """A webhook that says that an unpaid payment succeeded; how it was answered, and whether it may be accepted.

        `old` and `swapped` have a signature that was good once, or for another body. `signed` has a good one, as an
        event has that is out of date: it is acknowledged, and must change nothing.
        """
        unpaid = self._payments("requires_action", "requires_payment_method")
        id_ = unpaid[number % len(unpaid)]["id"] if unpaid else "pi_nobody"
        body, other = _claim(id_), _claim("pi_nobody")
        at = int(time.time()) - (HOUR if mode == "old" else 0)
        signature = self._sign(other if mode == "swapped" else body, at)
        answer = client.send("POST", "/api/payments/webhooks/stripe", body, {"Stripe-Signature": signature})
        return answer.status, mode == "signed"

    def _undecided(self, intent_id: str | None = None) -> list[stripe.Dispute]:
        every = self._account.v1.disputes.list({"limit": 100}).data
        disputes = [dispute for dispute in every if intent_id in (None, dispute.payment_intent)]
        return [dispute for dispute in disputes if dispute.status == "needs_response"]

    def _decide(self, dispute: stripe.Dispute, mode: str) -> None:
        self._account.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": EVIDENCE[mode]}})

    def _payments(self, *statuses: str) -> list[dict[str, Any]]:
        answer = urllib3.request("GET", f"{self._url}/_control/payment_intents?limit=5000", timeout=10)
        return [item for item in answer.json()["items"] if item["status"] in statuses]

    def _sign(self, body: bytes, at: int) -> str:
        signed = f"{at}.".encode() + body
        return f"t={at},v1={hmac.new(self._secret['webhookSecret'].encode(), signed, hashlib.sha256).hexdigest()}"

    @cached_property
    def _secret(self) -> dict[str, str]:
        secrets = json.loads((self._laptop.state / "secrets.json").read_text())
        found: dict[str, str] = json.loads(secrets["box-office-dev-stripe"])
        return found

    @cached_property
    def _account(self) -> stripe.StripeClient:
        # The weather is not to wait for a Stripe that hangs.
        impatient = stripe.RequestsClient(timeout=10)
        return stripe.StripeClient(
            self._secret["secretKey"],
            base_addresses={"api": self._url},
            http_client=impatient,
            max_network_retries=0,
        )


def _claim(intent_id: str) -> bytes:
    about = {"id": intent_id, "object": "payment_intent", "status": "succeeded"}
    event = {"id": f"evt_{uuid4().hex}", "type": "payment_intent.succeeded", "data": {"object": about}}
    return json.dumps(event).encode()
