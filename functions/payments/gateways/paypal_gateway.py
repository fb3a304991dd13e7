"""Payments through PayPal: Orders v2 with the intent CAPTURE, through PayPal's own library.

An order of ours is one PayPal order: the buyer approves it at PayPal, and then we capture it, once. Its invoice is our
order's number, so that PayPal itself refuses a second payment of the same order (DUPLICATE_INVOICE_ID).

Keys (`PayPal-Request-Id`) are kept for six hours only. An order is created and captured within minutes of its first
attempt, so a key is enough there; a refund may be tried again days later, so it is looked for first.

**Cancelling.** Orders v2 cannot void an order that was not captured. Only we can capture, and after cancelling is
recorded we send no capture; one that is on its way then is met at PayPal: its order's intent is changed from CAPTURE
to AUTHORIZE, which PayPal allows until the order is completed and never after, and refuses to capture from then on
(ACTION_DOES_NOT_MATCH_INTENT). So PayPal decides that race, as Stripe does: either the change is made and no money can
be taken, or the capture came first and the change is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from functions.payments.gateways import paypal_takings, paypal_webhooks
from functions.payments.gateways.gateway import (
    CancelResult,
    DisputeResult,
    GatewayKnowsNothing,
    GatewayRefused,
    GatewayUndecided,
    PaymentOutcome,
    PaymentResult,
    RefundResult,
    Takings,
    TakingsPage,
    WebhookEvent,
)
from functions.payments.gateways.paypal_answers import (
    CAPTURE,
    Json,
    capture_of,
    charge_named_in,
    choose_again,
    declined,
    dispute_result,
    is_lost_or_open,
    order_named_in,
    payment_result,
    refund_result,
    refunds_of,
    vanished,
)
from functions.payments.gateways.paypal_client import PayPalClient, PayPalSecret
from functions.payments.gateways.paypal_errors import PayPalRefused
from functions.payments.gateways.paypal_webhooks import Certificates, WebhookWindow
from shared.clock import now as clock
from shared.log import logger

log = logger("payments")

# https://developer.paypal.com/api/rest/reference/orders/v2/errors/#capture-order
_CHOOSE_AGAIN = ("INSTRUMENT_DECLINED", "PAYER_ACTION_REQUIRED")
_DECLINES = (
    "COMPLIANCE_VIOLATION",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_CANNOT_PAY",
    "TRANSACTION_LIMIT_EXCEEDED",
    "TRANSACTION_REFUSED",
)
_SEE_HOW_IT_STANDS = (
    "ACTION_DOES_NOT_MATCH_INTENT",
    "ORDER_ALREADY_CAPTURED",
    "ORDER_COMPLETED_OR_VOIDED",
    "ORDER_NOT_APPROVED",
)
_AMOUNT_REFUSED = ("CANNOT_BE_ZERO_OR_NEGATIVE", "CURRENCY_NOT_SUPPORTED", "MAX_VALUE_EXCEEDED")
_CANCEL = [{"op": "replace", "path": "/intent", "value": "AUTHORIZE"}]


class PayPalGateway:
    """`PaymentGateway` at PayPal. The intent is PayPal's order, the charge its capture.

    Args:
        public_url: where the buyer comes back to from PayPal; the order's page is below it.
        timeout_seconds: how long one request may take; a call makes up to three in the worst case, each tried again.
        max_network_retries: how often a request is sent again, under the same key.
        webhook_tolerance_seconds: by how much a webhook's time may be ahead of ours.
        webhook_hours: how old it may be.
    """

    def __init__(
        self,
        secret: PayPalSecret,
        *,
        public_url: str,
        timeout_seconds: float = 10,
        max_network_retries: int = 2,
        webhook_tolerance_seconds: int = 300,
        webhook_hours: int = 96,
    ) -> None:
        self._secret, self._timeout_seconds = secret, timeout_seconds
        self._webhook_window = WebhookWindow(
            timedelta(hours=webhook_hours), timedelta(seconds=webhook_tolerance_seconds)
        )
        self._public_url = public_url.rstrip("/")
        self._client = PayPalClient(secret, timeout_seconds=timeout_seconds, retries=max_network_retries)

    def pay(
        self,
        *,
        order_id: str,
        intent_id: str | None,
        amount: Decimal,
        currency: str,
        payment_token: str | None,  # noqa: ARG002  # the buyer chooses at PayPal
        attempt_key: str,
        payment_number: int = 1,
        metadata: Mapping[str, str] | None = None,
    ) -> PaymentResult:
        """See `PaymentGateway.pay`: capture what the buyer has approved; before that, say where to approve."""
        if intent_id is None:
            key = _create_key(order_id, payment_number)
            intent_id = self._create(key, order_id, amount, currency, metadata or {})
        now = self.fetch(intent_id)
        if now.outcome is PaymentOutcome.DECLINED:
            # A capture that came to nothing uses its order up.
            key = f"order-{order_id}-after-{intent_id}"
            now = self.fetch(self._create(key, order_id, amount, currency, metadata or {}))
        return self._capture(now, attempt_key) if now.outcome is PaymentOutcome.APPROVED else now

    def open(
        self,
        *,
        order_id: str,
        amount: Decimal,
        currency: str,
        payment_number: int = 1,
        metadata: Mapping[str, str] | None = None,
    ) -> PaymentResult | None:
        """See `PaymentGateway.open`."""
        key = _create_key(order_id, payment_number)
        try:
            return self.fetch(self._create(key, order_id, amount, currency, metadata or {}))
        except GatewayRefused as refused:
            if refused.provider_code in _AMOUNT_REFUSED:
                return None
            raise

    def fetch(self, intent_id: str) -> PaymentResult:
        """See `PaymentGateway.fetch`."""
        order = self._client.order(intent_id)
        capture = capture_of(order)
        return payment_result(order, disputed=capture is not None and self._is_disputed(capture["id"]))

    def fetch_by_charge(self, charge_id: str) -> PaymentResult | None:
        """See `PaymentGateway.fetch_by_charge`."""
        intent_id = order_named_in(self._client.capture(charge_id))
        return self.fetch(intent_id) if intent_id else None

    def cancel(self, intent_id: str) -> CancelResult:
        """See `PaymentGateway.cancel`, and above for how. Cancelled twice is cancelled."""
        try:
            self._client.patch_order(intent_id, _CANCEL)
        except GatewayKnowsNothing:
            return CancelResult("cancelled", vanished(intent_id))
        except GatewayRefused as refused:
            log.info("paypal refused to change an order", extra={"provider_code": refused.provider_code})
        payment = self.fetch(intent_id)
        if payment.outcome is PaymentOutcome.PAID:
            return CancelResult("paid", payment)
        if payment.outcome is PaymentOutcome.APPROVED:
            raise GatewayUndecided  # neither changed nor captured: ask again
        return CancelResult("cancelled", payment)

    def refund(self, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> RefundResult:  # noqa: ARG002
        """See `PaymentGateway.refund`. The reason stays here: all that PayPal takes is a note to the buyer."""
        order = self._client.order(intent_id)
        for refund in refunds_of(order):
            if refund.get("custom_id") == key:
                return refund_result(refund, intent_id)
        capture = capture_of(order)
        if capture is None:
            raise GatewayRefused("captures.refund", "NOT_CAPTURED")
        value = {"currency_code": capture["amount"]["currency_code"], "value": f"{amount:.2f}"}
        body: Json = {"amount": value, "custom_id": key}
        return refund_result(self._client.refund_capture(capture["id"], body, f"refund-{key}"), intent_id)

    def fetch_refund(self, refund_id: str) -> RefundResult:
        """See `PaymentGateway.fetch_refund`."""
        refund = self._client.refund(refund_id)
        capture_id = charge_named_in(refund)
        intent_id = order_named_in(self._client.capture(capture_id)) if capture_id else None
        return refund_result(refund, intent_id)

    def fetch_dispute(self, dispute_id: str) -> DisputeResult:
        """See `PaymentGateway.fetch_dispute`."""
        return dispute_result(self._client.dispute(dispute_id))

    def takings(self, since: datetime, cursor: str | None = None) -> TakingsPage:
        """See `PaymentGateway.takings` and `paypal_takings`."""
        return paypal_takings.search(self._client, since, cursor, clock())

    def takings_of(self, intent_id: str) -> Takings:
        """See `PaymentGateway.takings_of`."""
        return paypal_takings.takings(self._client, intent_id)

    def verify_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """See `PaymentGateway.verify_webhook` and `paypal_webhooks`."""
        ids = [self._secret["webhookId"], self._secret.get("webhookIdBefore", "")]
        return paypal_webhooks.verify(raw_body, headers, ids, self._certificates, self._webhook_window)

    @cached_property
    def _certificates(self) -> Certificates:
        root = self._secret.get("rootCertificate")
        return Certificates(self._client.base, root, timeout_seconds=self._timeout_seconds)

    def _create(
        self, key: str, order_id: str, amount: Decimal, currency: str, metadata: Mapping[str, str]
    ) -> str:
        """The PayPal order's id, made or found again.

        Only what is paid at once, for a payment that settles in days would outlive the hold:
        https://developer.paypal.com/docs/api/orders/v2/#orders_create!path=application_context&t=request
        """
        back = f"{self._public_url}/orders/{order_id}"
        unit: Json = {
            "reference_id": order_id,
            "custom_id": order_id,
            "amount": {"currency_code": currency, "value": f"{amount:.2f}"},
        }
        if "order_number" in metadata:
            unit["invoice_id"] = metadata["order_number"]
        context: Json = {
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
            "payment_method": {"payee_preferred": "IMMEDIATE_PAYMENT_REQUIRED"},
            "return_url": f"{back}?paypal=approved",
            "cancel_url": f"{back}?paypal=cancelled",
        }
        body = {"intent": CAPTURE, "purchase_units": [unit], "application_context": context}
        id_: str = self._client.create_order(body, key)["id"]
        return id_

    def _capture(self, approved: PaymentResult, attempt_key: str) -> PaymentResult:
        try:
            return payment_result(self._client.capture_order(approved.intent_id, f"capture-{attempt_key}"))
        except PayPalRefused as refused:
            if refused.provider_code in _CHOOSE_AGAIN:
                return choose_again(approved, refused.redirect_url)
            if refused.provider_code in _DECLINES:
                return declined(approved)
            if refused.provider_code not in _SEE_HOW_IT_STANDS:
                raise
        now = self.fetch(approved.intent_id)
        if now.outcome is PaymentOutcome.APPROVED:
            raise GatewayUndecided  # neither captured nor refused for a reason that still holds: ask again
        return now

    def _is_disputed(self, capture_id: str) -> bool:
        try:
            return any(map(is_lost_or_open, self._client.disputes_of(capture_id)))
        except PayPalRefused as refused:
            # The app lacks the permission for disputes: payments go on, and somebody has to hear of it.
            log.error("paypal tells nothing of disputes", extra={"provider_code": refused.provider_code})
            return False


def _create_key(order_id: str, payment_number: int) -> str:
    return f"order-{order_id}-create" + ("" if payment_number == 1 else f"-again-{payment_number}")
