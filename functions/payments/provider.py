"""The payment providers as this function reaches them: secrets read now and then, libraries imported when needed."""

import os
import time
from functools import lru_cache
from typing import cast

from functions.payments import circuits
from functions.payments.gateways.gateway import PaymentGateway
from functions.payments.gateways.guarded import GuardedGateway
from functions.payments.gateways.paypal_client import PayPalSecret
from functions.payments.gateways.paypal_gateway import PayPalGateway
from functions.payments.gateways.stripe_gateway import StripeGateway, StripeSecret
from functions.payments.models import Order
from functions.payments.settings import (
    PAYPAL_WEBHOOK_HOURS,
    PROVIDER_RETRIES,
    PROVIDER_TIMEOUT_SECONDS,
    WEBHOOK_TOLERANCE_SECONDS,
)
from shared import parameters

STRIPE, PAYPAL = "stripe", "paypal"
KEPT_SECONDS = 300
"""How long a process keeps what it read of a secret; the extension before it keeps it for as long again."""


def is_available(provider: str) -> bool:
    """Whether this provider is asked at all now: its circuit is closed."""
    return not circuits.circuit(provider).is_open()


def gateway_for(order: Order) -> PaymentGateway:
    """The provider at which this order's payment is."""
    return gateway_at(order.payment_method)


def gateway_at(provider: str) -> PaymentGateway:
    """The provider of this name. An order that costs nothing has none, and none is asked for it."""
    return paypal() if provider == PAYPAL else stripe()


def stripe() -> PaymentGateway:
    """Stripe, with time-outs that fit a Lambda: a call is over, one way or the other, in under a minute."""
    return _stripe(_period())


def paypal() -> PaymentGateway:
    """PayPal, likewise."""
    return _paypal(_period())


def _period() -> int:
    """Changes every `KEPT_SECONDS`: keys that an operator replaced are heard of without a new process."""
    return int(time.monotonic() // KEPT_SECONDS)


@lru_cache(maxsize=1)
def _stripe(_of: int) -> PaymentGateway:
    gateway = StripeGateway(
        stripe_secret(),
        timeout_seconds=PROVIDER_TIMEOUT_SECONDS(),
        max_network_retries=PROVIDER_RETRIES(),
        webhook_tolerance_seconds=WEBHOOK_TOLERANCE_SECONDS(),
    )
    return GuardedGateway(gateway, circuits.circuit(STRIPE))


@lru_cache(maxsize=1)
def _paypal(_of: int) -> PaymentGateway:
    gateway = PayPalGateway(
        paypal_secret(),
        public_url=parameters.parameter("public_url"),
        timeout_seconds=PROVIDER_TIMEOUT_SECONDS(),
        max_network_retries=PROVIDER_RETRIES(),
        webhook_tolerance_seconds=WEBHOOK_TOLERANCE_SECONDS(),
        webhook_hours=PAYPAL_WEBHOOK_HOURS(),
    )
    return GuardedGateway(gateway, circuits.circuit(PAYPAL))


def stripe_secret() -> StripeSecret:
    """Our account at Stripe.

    Raises:
        Unavailable: the secret cannot be read.
    """
    return cast(StripeSecret, parameters.secret(os.environ["STRIPE_SECRET_ARN"]))


def paypal_secret() -> PayPalSecret:
    """Our account at PayPal; its strings are empty as long as we have none.

    Raises:
        Unavailable: the secret cannot be read.
    """
    return cast(PayPalSecret, parameters.secret(os.environ["PAYPAL_SECRET_ARN"]))


def takes_paypal() -> bool:
    """Whether we have an account at PayPal."""
    return bool(paypal_secret()["clientId"])


def forget() -> None:
    """What a process reads once and keeps, its circuits too: read it again."""
    for kept in (_stripe, _paypal, circuits.circuit):
        kept.cache_clear()
