"""The payment providers as this function reaches them: secrets read once, libraries imported when needed."""

import os
from functools import cache
from typing import cast

from functions.payments.gateways.gateway import PaymentGateway
from functions.payments.gateways.paypal_client import PayPalSecret
from functions.payments.gateways.paypal_gateway import PayPalGateway
from functions.payments.gateways.stripe_gateway import StripeGateway, StripeSecret
from functions.payments.models import Order
from functions.payments.settings import PROVIDER_RETRIES, PROVIDER_TIMEOUT_SECONDS
from shared import parameters

PAYPAL = "paypal"


def gateway_for(order: Order) -> PaymentGateway:
    """The provider at which this order's payment is."""
    return gateway_at(order.payment_method)


def gateway_at(provider: str) -> PaymentGateway:
    """The provider of this name. An order that costs nothing has none, and none is asked for it."""
    return paypal() if provider == PAYPAL else stripe()


@cache
def stripe() -> PaymentGateway:
    """Stripe, with time-outs that fit a Lambda: a call is over, one way or the other, in under a minute."""
    return StripeGateway(
        stripe_secret(), timeout_seconds=PROVIDER_TIMEOUT_SECONDS(), max_network_retries=PROVIDER_RETRIES()
    )


@cache
def paypal() -> PaymentGateway:
    """PayPal, likewise."""
    return PayPalGateway(
        paypal_secret(),
        public_url=parameters.parameter("public_url"),
        timeout_seconds=PROVIDER_TIMEOUT_SECONDS(),
        max_network_retries=PROVIDER_RETRIES(),
    )


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
