"""PayPal's errors in our words: https://developer.paypal.com/api/rest/reference/orders/v2/errors/.

What is raised names the operation, PayPal's issue and the debug id, and nothing of the request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from functions.payments.gateways.gateway import (
    GatewayKnowsNothing,
    GatewayRefused,
    GatewayTimeout,
    GatewayUnavailable,
)
from shared.log import logger

log = logger("payments")

BUSY = 429


class PayPalRefused(GatewayRefused):
    """A refusal; `redirect_url` is where PayPal wants the buyer to choose again, if it says so."""

    def __init__(
        self, operation: str, issue: str | None, debug_id: str | None, redirect_url: str | None
    ) -> None:
        super().__init__(operation, issue, debug_id)
        self.redirect_url = redirect_url


class Unauthorized(GatewayRefused):
    """401: the access token is no longer good, or the client's secret is wrong."""


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise GatewayUnavailable, GatewayTimeout or GatewayRefused for what the library raises."""
    import requests
    from paypalserversdk.exceptions.api_exception import ApiException

    try:
        yield
    except requests.exceptions.ReadTimeout:
        log.warning("paypal was not reached", extra={"operation": operation, "timed_out": True})
        raise GatewayTimeout() from None
    except requests.exceptions.RequestException:
        log.warning("paypal was not reached", extra={"operation": operation, "timed_out": False})
        raise GatewayUnavailable() from None
    except ApiException as error:
        raise refusal(operation, error.response_code, error.response.text) from None


def refusal(operation: str, status: int, text: str) -> Exception:
    """What an answer of this status means."""
    body = _body(text)
    details = body.get("details") or [{}]
    issue = details[0].get("issue") or body.get("name") or body.get("error")
    debug_id = body.get("debug_id")
    log.warning(
        "paypal refused",
        extra={
            "operation": operation,
            "http_status": status,
            "paypal_issue": issue,
            "paypal_debug_id": debug_id,
        },
    )
    if status == BUSY or status >= 500:
        return GatewayUnavailable()
    if status == 401:
        return Unauthorized(operation, issue, debug_id)
    if status == 404:
        return GatewayKnowsNothing(operation, issue, debug_id)
    return PayPalRefused(operation, issue, debug_id, _redirect(body))


def _body(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _redirect(body: dict[str, Any]) -> str | None:
    links = body.get("links") or []
    return next((link["href"] for link in links if link.get("rel") in ("redirect", "payer-action")), None)
