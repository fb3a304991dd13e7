"""PayPal's HTTP API through its own library, which is imported once something is asked.

The library does not try a POST again, has nothing for disputes, and hides why no access token came; that is done here.
Answers are handled as JSON: the library's models leave out what it does not know.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, NotRequired, TypedDict
from urllib.parse import quote, urlencode

from functions.payments.gateways.gateway import GatewayTimeout, GatewayUnavailable
from functions.payments.gateways.paypal_errors import Unauthorized, refusal, translated

Json = dict[str, Any]

API_BASE = "https://api-m.paypal.com"
CONNECT_TIMEOUT_SECONDS = 3.0
_PAUSE_SECONDS = 0.2


class PayPalSecret(TypedDict):
    """What the secret `paypal` holds; empty strings until an operator has put an account into it."""

    clientId: str
    clientSecret: str
    webhookId: str
    webhookIdBefore: NotRequired[
        str
    ]  # of a webhook that is being replaced: as long as it is there, both are good
    apiBase: NotRequired[
        str
    ]  # another address than PayPal's live one: its sandbox, or a laptop's simulated PayPal
    rootCertificate: NotRequired[str]  # signs a simulated PayPal's webhooks; PEM


class PayPalClient:
    """One account.

    Args:
        timeout_seconds: how long one request may take.
        retries: how often a request is sent again, under the same key, after trouble on the way or at PayPal.
    """

    def __init__(self, secret: PayPalSecret, *, timeout_seconds: float, retries: int) -> None:
        self._secret, self._timeout_seconds, self._retries = secret, timeout_seconds, retries

    def create_order(self, body: Json, key: str) -> Json:
        """POST /v2/checkout/orders."""
        options = {"body": body, "paypal_request_id": key, "prefer": "return=representation"}
        return self._send("orders.create", lambda: self._library.orders.create_order(options))

    def order(self, order_id: str) -> Json:
        """GET /v2/checkout/orders/{id}."""
        return self._send("orders.get", lambda: self._library.orders.get_order({"id": order_id}))

    def patch_order(self, order_id: str, changes: list[Json]) -> None:
        """PATCH /v2/checkout/orders/{id}."""
        options = {"id": order_id, "body": changes}
        self._send("orders.patch", lambda: self._library.orders.patch_order(options))

    def capture_order(self, order_id: str, key: str) -> Json:
        """POST /v2/checkout/orders/{id}/capture."""
        options = {"id": order_id, "paypal_request_id": key, "prefer": "return=representation"}
        return self._send("orders.capture", lambda: self._library.orders.capture_order(options))

    def capture(self, capture_id: str) -> Json:
        """GET /v2/payments/captures/{id}."""
        options = {"capture_id": capture_id}
        return self._send("captures.get", lambda: self._library.payments.get_captured_payment(options))

    def refund_capture(self, capture_id: str, body: Json, key: str) -> Json:
        """POST /v2/payments/captures/{id}/refund."""
        options = {
            "capture_id": capture_id,
            "body": body,
            "paypal_request_id": key,
            "prefer": "return=representation",
        }
        return self._send("captures.refund", lambda: self._library.payments.refund_captured_payment(options))

    def refund(self, refund_id: str) -> Json:
        """GET /v2/payments/refunds/{id}."""
        options = {"refund_id": refund_id}
        return self._send("refunds.get", lambda: self._library.payments.get_refund(options))

    def disputes_of(self, capture_id: str) -> list[Json]:
        """GET /v1/customer/disputes: https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_list."""
        query = urlencode({"disputed_transaction_id": capture_id})
        items: list[Json] = self._get("disputes.list", f"/v1/customer/disputes?{query}").get("items") or []
        return items

    def dispute(self, dispute_id: str) -> Json:
        """GET /v1/customer/disputes/{id}."""
        return self._get("disputes.get", f"/v1/customer/disputes/{quote(dispute_id, safe='')}")

    def transactions(self, since: str, until: str, page: int, page_size: int) -> Json:
        """GET /v1/reporting/transactions: payments received that succeeded, of at most 31 days.

        https://developer.paypal.com/docs/api/transaction-search/v1/#transactions_get
        """
        query = {
            "start_date": since,
            "end_date": until,
            "transaction_type": "T0006",  # a payment through PayPal Checkout
            "transaction_status": "S",
            "fields": "transaction_info",
            "page": page,
            "page_size": page_size,
        }
        return self._get("transactions.list", f"/v1/reporting/transactions?{urlencode(query)}")

    @property
    def base(self) -> str:
        """Where the API is."""
        return self._secret.get("apiBase") or API_BASE

    def _get(self, operation: str, path: str) -> Json:
        """A GET that the library does not have."""

        def get() -> Any:
            import requests

            answer = requests.get(
                f"{self.base}{path}",
                headers={"Authorization": f"Bearer {self._token()}", "Accept": "application/json"},
                timeout=(CONNECT_TIMEOUT_SECONDS, self._timeout_seconds),
            )
            if answer.status_code >= 400:
                raise refusal(operation, answer.status_code, answer.text)
            return answer

        return self._send(operation, get)

    def _send(self, operation: str, request: Callable[[], Any]) -> Json:
        """The answer as JSON, empty if it has none."""
        for number in range(self._retries + 1):
            try:
                return self._once(operation, request)
            except (GatewayUnavailable, GatewayTimeout):
                if number == self._retries:
                    raise
                time.sleep(_PAUSE_SECONDS * (number + 1))
        raise AssertionError("unreachable")

    def _once(self, operation: str, request: Callable[[], Any]) -> Json:
        try:
            with translated(operation):
                answer = request()
        except Unauthorized:
            # An access token lives for hours, and no longer than PayPal likes: with a new one, once more.
            self.__dict__.pop("_library", None)
            with translated(operation):
                answer = request()
        body: Json = json.loads(answer.text) if answer.text else {}
        return body

    @cached_property
    def _library(self) -> Any:
        from paypalserversdk.configuration import Server
        from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
        from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

        # Its own way to fetch a token swallows the reason why there is none.
        credentials = ClientCredentialsAuthCredentials(
            o_auth_client_id=self._secret["clientId"],
            o_auth_client_secret=self._secret["clientSecret"],
            o_auth_token_provider=lambda _, auth: auth.fetch_token(),
        )
        library = PaypalServersdkClient(
            client_credentials_auth_credentials=credentials,
            timeout=(CONNECT_TIMEOUT_SECONDS, self._timeout_seconds),
        )
        library.config.environments = {library.config.environment: {Server.DEFAULT: self.base}}
        return library

    def _token(self) -> str:
        return str(self._library.oauth_2.fetch_token().access_token)
