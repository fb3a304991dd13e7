"""The payment provider as this function reaches it: its secret read once, its library imported when needed."""

import os
from functools import cache
from typing import cast

from functions.payments.gateways.gateway import PaymentGateway
from functions.payments.gateways.stripe_gateway import StripeGateway, StripeSecret
from functions.payments.settings import PROVIDER_RETRIES, PROVIDER_TIMEOUT_SECONDS
from shared import parameters


@cache
def stripe() -> PaymentGateway:
    """Stripe, with time-outs that fit a Lambda: a call is over, one way or the other, in under a minute."""
    return StripeGateway(
        stripe_secret(), timeout_seconds=PROVIDER_TIMEOUT_SECONDS(), max_network_retries=PROVIDER_RETRIES()
    )


def stripe_secret() -> StripeSecret:
    """Our account at Stripe.

    Raises:
        Unavailable: the secret cannot be read.
    """
    return cast(StripeSecret, parameters.secret(os.environ["STRIPE_SECRET_ARN"]))
