"""A till takes an order's money at one provider, the buyer's part included: what the contract is held against."""

from decimal import Decimal
from typing import Literal, Protocol
from uuid import uuid4

from functions.payments.gateways.gateway import PaymentGateway, PaymentOutcome, PaymentResult
from functions.payments.gateways.paypal_client import PayPalSecret
from functions.payments.gateways.paypal_gateway import PayPalGateway
from functions.payments.gateways.stripe_gateway import StripeGateway, StripeSecret
from tests.paypal_server import PayPalServer
from tests.provider_server import Endpoint, ProviderServer
from tests.stripe_server import SECRET_KEY, WEBHOOK_SECRET, StripeServer

How = Literal["good", "declined", "refund_fails", "dispute"]
AMOUNT = Decimal("99.00")
_CARDS: dict[How, str] = {
    "good": "pm_card_visa",
    "declined": "pm_card_chargeDeclined",
    "refund_fails": "pm_card_refundFail",
    "dispute": "pm_card_createDispute",
}
SITE = "https://tickets.example"


class Till(Protocol):
    """A provider under contract.

    Attributes:
        endpoint: where its webhooks arrive.
        charging, refunding: its names of the requests that take money and give it back, for faults.
        refunded_already: its word for a refund of what was given back.
        paid, refunded: its names of these events.
        unknown: an id of a payment that it does not have.
    """

    server: ProviderServer
    endpoint: Endpoint
    charging: str
    refunding: str
    refunded_already: str
    paid: str
    refunded: str
    unknown: str

    def gateway(
        self, *, timeout_seconds: float = 10, retries: int = 2, base: str | None = None, wrong: bool = False
    ) -> PaymentGateway:
        """The gateway on this account, on another address, or with a wrong secret."""
        ...

    def pay(
        self,
        gateway: PaymentGateway,
        order_id: str,
        how: How = "good",
        *,
        intent_id: str | None = None,
        attempt_key: str | None = None,
        payment_number: int = 1,
    ) -> PaymentResult:
        """Pay as far as this way to pay goes."""
        ...

    def begin(self, gateway: PaymentGateway, order_id: str) -> PaymentResult:
        """Pay until the buyer's own step is due."""
        ...

    def act(self, payment: PaymentResult) -> None:
        """The buyer's own step."""
        ...


def ask(
    gateway: PaymentGateway,
    order_id: str,
    token: str | None,
    intent_id: str | None,
    attempt_key: str,
    payment_number: int = 1,
) -> PaymentResult:
    """One call of `pay`."""
    return gateway.pay(
        order_id=order_id,
        intent_id=intent_id,
        amount=AMOUNT,
        currency="USD",
        payment_token=token,
        attempt_key=attempt_key,
        payment_number=payment_number,
        metadata={"order_number": f"BO-{order_id}"},
    )


class StripeTill:
    """Cards at the simulated Stripe."""

    charging, refunding = "payment_intents.confirm", "refunds.create"
    refunded_already = "charge_already_refunded"
    paid, refunded = "payment_intent.succeeded", "charge.refunded"
    unknown = "pi_nobody"

    def __init__(self, server: StripeServer, endpoint: Endpoint) -> None:
        self.server: ProviderServer = server
        self.endpoint = endpoint

    def gateway(
        self, *, timeout_seconds: float = 10, retries: int = 2, base: str | None = None, wrong: bool = False
    ) -> PaymentGateway:
        """See `Till.gateway`."""
        secret: StripeSecret = {
            "secretKey": "sk_test_wrongwrong" if wrong else SECRET_KEY,
            "webhookSecret": WEBHOOK_SECRET,
            "publishableKey": "pk_test_",
            "apiBase": base or self.server.url,
        }
        return StripeGateway(secret, timeout_seconds=timeout_seconds, max_network_retries=retries)

    def pay(
        self,
        gateway: PaymentGateway,
        order_id: str,
        how: How = "good",
        *,
        intent_id: str | None = None,
        attempt_key: str | None = None,
        payment_number: int = 1,
    ) -> PaymentResult:
        """See `Till.pay`."""
        key = attempt_key or str(uuid4())
        return ask(gateway, order_id, _CARDS[how], intent_id, key, payment_number)

    def begin(self, gateway: PaymentGateway, order_id: str) -> PaymentResult:
        """See `Till.begin`."""
        return ask(gateway, order_id, "pm_card_authenticationRequired", None, str(uuid4()))

    def act(self, payment: PaymentResult) -> None:
        """See `Till.act`."""
        path = f"payment_intents/{payment.intent_id}/authenticate"
        assert self.server.control("POST", path, {"outcome": "succeed"})[0] == 200


class PayPalTill:
    """Approvals at the simulated PayPal."""

    charging, refunding = "orders.capture", "captures.refund"
    refunded_already = "CAPTURE_FULLY_REFUNDED"
    paid, refunded = "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED"
    unknown = "5O190127TN364715T"

    def __init__(self, server: PayPalServer, endpoint: Endpoint) -> None:
        self.server: ProviderServer = server
        self.endpoint, self._paypal = endpoint, server

    def gateway(
        self, *, timeout_seconds: float = 10, retries: int = 2, base: str | None = None, wrong: bool = False
    ) -> PaymentGateway:
        """See `Till.gateway`."""
        secret: PayPalSecret = {**self._paypal.secret, "apiBase": base or self.server.url}
        if wrong:
            secret["clientSecret"] = "wrongwrong"
        return PayPalGateway(
            secret, public_url=SITE, timeout_seconds=timeout_seconds, max_network_retries=retries
        )

    def pay(
        self,
        gateway: PaymentGateway,
        order_id: str,
        how: How = "good",
        *,
        intent_id: str | None = None,
        attempt_key: str | None = None,
        payment_number: int = 1,
    ) -> PaymentResult:
        """See `Till.pay`."""
        key = attempt_key or str(uuid4())
        due = ask(gateway, order_id, None, intent_id, key, payment_number)
        if due.outcome is not PaymentOutcome.ACTION_REQUIRED:
            return due
        self._paypal.approve(due.intent_id, "balance" if how == "good" else how)
        return ask(gateway, order_id, None, due.intent_id, key, payment_number)

    def begin(self, gateway: PaymentGateway, order_id: str) -> PaymentResult:
        """See `Till.begin`."""
        return ask(gateway, order_id, None, None, str(uuid4()))

    def act(self, payment: PaymentResult) -> None:
        """See `Till.act`."""
        self._paypal.approve(payment.intent_id)
