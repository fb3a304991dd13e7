"""Requests that the contracts of Stripe have in common."""

from typing import Any

import stripe

CARDS_ONLY: dict[str, Any] = {
    "allowed_payment_method_types": ["card"],
    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
}


def new_intent(client: stripe.StripeClient, amount: int = 4950, **more: Any) -> stripe.PaymentIntent:
    """An intent for cards, unconfirmed unless told otherwise."""
    params: Any = {"amount": amount, "currency": "usd", **CARDS_ONLY, **more}
    return client.v1.payment_intents.create(params)


def paid_intent(
    client: stripe.StripeClient, amount: int = 4950, card: str = "pm_card_visa"
) -> stripe.PaymentIntent:
    """An intent that has taken its money."""
    return client.v1.payment_intents.confirm(new_intent(client, amount).id, {"payment_method": card})


def text_of(error: Any) -> str:
    """The message of a refusal."""
    return str(error.user_message)
