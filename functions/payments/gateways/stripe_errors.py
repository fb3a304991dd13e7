"""Stripe's errors in our words: https://docs.stripe.com/error-handling and https://docs.stripe.com/error-low-level.

What is raised names the operation, Stripe's code and the request's id, and nothing of the request: neither keys nor
client secrets, which Stripe's own messages and bodies may hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from functions.payments.gateways.gateway import (
    GatewayKnowsNothing,
    GatewayRefused,
    GatewayTimeout,
    GatewayUnavailable,
)
from shared.log import logger

if TYPE_CHECKING:
    import stripe

log = logger("payments")

_UNUSABLE_METHOD = {"payment_intent_incompatible_payment_method", "payment_method_not_available"}


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise GatewayUnavailable, GatewayTimeout or GatewayRefused for what the library raises."""
    import stripe

    try:
        yield
    except stripe.APIConnectionError as error:
        timed_out = _is_read_timeout(error)
        log.warning("stripe was not reached", extra={"operation": operation, "timed_out": timed_out})
        raise (GatewayTimeout() if timed_out else GatewayUnavailable()) from None
    except (stripe.RateLimitError, stripe.APIError) as error:
        _log(operation, error)
        raise GatewayUnavailable() from None
    except stripe.StripeError as error:
        _log(operation, error)
        kind = GatewayKnowsNothing if error.code == "resource_missing" else GatewayRefused
        raise kind(operation, error.code or type(error).__name__, error.request_id) from None


def was_replayed(answer: stripe.StripeError | stripe.StripeResponse | None) -> bool:
    """Whether Stripe did nothing but repeat its first answer under this idempotency key."""
    headers = (answer.headers if answer is not None else None) or {}
    return {name.lower(): value for name, value in headers.items()}.get("idempotent-replayed") == "true"


def is_about_the_payment_method(error: stripe.InvalidRequestError) -> bool:
    """Whether the buyer's payment method is the trouble (unknown, used up, of the wrong kind) and not our request.
    https://docs.stripe.com/error-codes
    """
    message = error.user_message or ""
    return (
        (error.param or "").startswith("payment_method")
        or error.code in _UNUSABLE_METHOD
        or message.startswith("The provided PaymentMethod")
    )


def _is_read_timeout(error: stripe.APIConnectionError) -> bool:
    """A request that was sent and not answered; one that never got through has certainly done nothing."""
    import requests

    return isinstance(error.__cause__, requests.exceptions.ReadTimeout)


def _log(operation: str, error: stripe.StripeError) -> None:
    log.warning(
        "stripe refused",
        extra={
            "operation": operation,
            "http_status": error.http_status,
            "stripe_code": error.code,
            "stripe_request_id": error.request_id,
        },
    )
