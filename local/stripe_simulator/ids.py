"""Ids that look like Stripe's: a prefix that names the object, then letters and digits."""

import secrets
import string

from local.simulation.json import Json as Json

_ALPHABET = string.ascii_letters + string.digits

# What the first characters after the prefix look like; code that parses ids by eye should not be surprised here.
_STARTS = {"pi": "3", "ch": "3", "re": "3", "pm": "1", "evt": "1", "du": "1"}


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh id such as `pi_3MtwBwLkdIwHu7ix28a3tqPa`; `length` counts the characters after the underscore."""
    start = _STARTS.get(prefix, "")
    return f"{prefix}_{start}{_random(length - len(start))}"


def new_client_secret(intent_id: str) -> str:
    """`pi_…_secret_…`: what a browser shows to act on this one intent.
    https://docs.stripe.com/api/payment_intents/object#payment_intent_object-client_secret
    """
    return f"{intent_id}_secret_{_random(25)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
