"""Payments through Stripe: the only module that imports its library, and only once it is called.

PaymentIntents are created unconfirmed under a key of the order and confirmed under a key of the attempt: a key that had
seen a decline would bring that decline back for ever (https://docs.stripe.com/api/idempotent_requests).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

from functions.payments.gateways.gateway import (
    BadSignature,
    CancelResult,
    DisputeResult,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUndecided,
    PaymentOutcome,
    PaymentResult,
    RefundResult,
    Takings,
    TakingsPage,
    WebhookEvent,
)
from functions.payments.gateways.stripe_answers import (
    REFUND_KEY,
    declined,
    dispute_result,
    payment_result,
    refund_result,
    takings_result,
    to_minor,
)
from functions.payments.gateways.stripe_errors import is_about_the_payment_method, translated, was_replayed

if TYPE_CHECKING:
    import stripe

Answer = TypeVar("Answer")

CONNECT_TIMEOUT_SECONDS = 3.0
# A key for which Stripe keeps a 500 is of no more use; so many others are tried over the life of one attempt.
_KEYS_PER_STEP = 5
_WITH_CHARGE = ["latest_charge"]
_AMOUNT_REFUSED = ("amount_too_small", "amount_too_large")  # https://docs.stripe.com/error-codes
_UNEXPECTED_STATE = "payment_intent_unexpected_state"
_PAGE = 100  # the most that Stripe lists at once
_SETTLED = (PaymentOutcome.PAID, PaymentOutcome.CANCELLED)


class StripeSecret(TypedDict):
    """What the secret `stripe` holds.

    `webhookSecretBefore` is the one of an endpoint that is being replaced: as long as it is there, both are good.
    """

    secretKey: str
    webhookSecret: str
    webhookSecretBefore: NotRequired[str]
    publishableKey: str
    apiBase: NotRequired[str]  # another address than Stripe's own: the simulated gateway of a laptop


class StripeGateway:
    """`PaymentGateway` at Stripe.

    Args:
        timeout_seconds: how long one request may take; a call makes up to three in the worst case, each tried again.
        max_network_retries: how often the library itself tries again, under the same key, after a lost connection, a
            timeout or a conflict.
        webhook_tolerance_seconds: by how much the time in a webhook's signature may differ from ours, either way.
    """

    def __init__(
        self,
        secret: StripeSecret,
        *,
        timeout_seconds: float = 10,
        max_network_retries: int = 2,
        webhook_tolerance_seconds: int = 300,
    ) -> None:
        self._secret = secret
        self._webhook_tolerance_seconds = webhook_tolerance_seconds
        self._timeout_seconds = timeout_seconds
        self._max_network_retries = max_network_retries

    def pay(
        self,
        *,
        order_id: str,
        intent_id: str | None,
        amount: Decimal,
        currency: str,
        payment_token: str | None,
        attempt_key: str,
        payment_number: int = 1,
        metadata: Mapping[str, str] | None = None,
    ) -> PaymentResult:
        """See `PaymentGateway.pay`."""
        if intent_id is None:
            intent_id = self._create(order_id, amount, currency, metadata or {}, payment_number)
        return self._confirm(intent_id, payment_token or "", attempt_key)

    def open(
        self,
        *,
        order_id: str,
        amount: Decimal,
        currency: str,
        payment_number: int = 1,
        metadata: Mapping[str, str] | None = None,
    ) -> PaymentResult | None:
        """See `PaymentGateway.open`. The answer to the order's key is the intent as it was made; so it is fetched."""
        try:
            intent_id = self._create(order_id, amount, currency, metadata or {}, payment_number)
        except GatewayRefused as refused:
            if refused.provider_code in _AMOUNT_REFUSED:
                return None
            raise
        return self.fetch(intent_id)

    def fetch(self, intent_id: str) -> PaymentResult:
        """See `PaymentGateway.fetch`."""
        with translated("payment_intents.retrieve"):
            intent = self._client.v1.payment_intents.retrieve(intent_id, {"expand": _WITH_CHARGE})
        return payment_result(intent)

    def fetch_by_charge(self, charge_id: str) -> PaymentResult | None:
        """See `PaymentGateway.fetch_by_charge`."""
        with translated("charges.retrieve"):
            intent: Any = self._client.v1.charges.retrieve(charge_id).payment_intent
        return None if intent is None else self.fetch(intent if isinstance(intent, str) else intent.id)

    def cancel(self, intent_id: str) -> CancelResult:
        """See `PaymentGateway.cancel`. A cancelled intent can be asked to cancel again, so this needs no key."""
        import stripe

        with translated("payment_intents.cancel"):
            try:
                self._client.v1.payment_intents.cancel(intent_id)
            except stripe.InvalidRequestError as refusal:
                if refusal.code != _UNEXPECTED_STATE:
                    raise
        payment = self.fetch(intent_id)
        if payment.outcome is PaymentOutcome.PAID:
            return CancelResult("paid", payment)
        if payment.outcome is PaymentOutcome.CANCELLED:
            return CancelResult("cancelled", payment)
        # Stripe is still working on it and knows the end of it soon.
        raise GatewayUndecided

    def refund(self, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> RefundResult:
        """See `PaymentGateway.refund`. Stripe forgets keys after a day, but not a refund's metadata."""
        earlier = self._refund_named(intent_id, key)
        if earlier is not None:
            return refund_result(earlier)
        metadata = {REFUND_KEY: key} | ({"reason": reason[:500]} if reason else {})

        def create(idempotency_key: str) -> stripe.Refund:
            return self._client.v1.refunds.create(
                {"payment_intent": intent_id, "amount": to_minor(amount), "metadata": metadata},
                {"idempotency_key": idempotency_key},
            )

        with translated("refunds.create"):
            return refund_result(self._under_key(f"refund-{key}", create))

    def fetch_refund(self, refund_id: str) -> RefundResult:
        """See `PaymentGateway.fetch_refund`."""
        with translated("refunds.retrieve"):
            return refund_result(self._client.v1.refunds.retrieve(refund_id))

    def fetch_dispute(self, dispute_id: str) -> DisputeResult:
        """See `PaymentGateway.fetch_dispute`."""
        with translated("disputes.retrieve"):
            return dispute_result(self._client.v1.disputes.retrieve(dispute_id))

    def takings(self, since: datetime, cursor: str | None = None) -> TakingsPage:
        """See `PaymentGateway.takings`."""
        with translated("payment_intents.list"):
            page = self._client.v1.payment_intents.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "limit": _PAGE,
                    "expand": ["data.latest_charge"],
                    **({"starting_after": cursor} if cursor else {}),
                }
            )
        found = [self._takings(intent) for intent in page.data if intent.amount_received]
        return TakingsPage(found, page.data[-1].id if page.has_more else None)

    def takings_of(self, intent_id: str) -> Takings:
        """See `PaymentGateway.takings_of`."""
        with translated("payment_intents.retrieve"):
            intent = self._client.v1.payment_intents.retrieve(intent_id, {"expand": _WITH_CHARGE})
        return self._takings(intent)

    def _takings(self, intent: stripe.PaymentIntent) -> Takings:
        """What was refunded and disputed is asked for only where there is something: that is seldom."""
        charge: Any = intent.latest_charge
        refunds: list[stripe.Refund] = []
        disputes: list[stripe.Dispute] = []
        if charge is not None and charge.amount_refunded:
            with translated("refunds.list"):
                refunds = self._client.v1.refunds.list({"payment_intent": intent.id, "limit": _PAGE}).data
        if charge is not None and charge.disputed:
            with translated("disputes.list"):
                disputes = self._client.v1.disputes.list({"payment_intent": intent.id, "limit": _PAGE}).data
        return takings_result(intent, refunds, disputes)

    def verify_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """See `PaymentGateway.verify_webhook`: https://docs.stripe.com/webhooks#verify-official-libraries.

        Each attempt to deliver is signed anew, so its time is now; the library minds only times that are past.
        """
        import stripe

        signature = headers.get("stripe-signature", "")
        try:
            self._verify_signature(raw_body, signature)
            if abs(time.time() - _signed_at(signature)) > self._webhook_tolerance_seconds:
                raise BadSignature
            return _event(json.loads(raw_body))
        except (
            stripe.SignatureVerificationError,
            ValueError,
            LookupError,
            TypeError,
            RecursionError,
        ) as problem:
            raise BadSignature from problem

    def _verify_signature(self, raw_body: bytes, signature: str) -> None:
        """Raises Stripe's SignatureVerificationError unless one of the endpoint's secrets made the signature."""
        import stripe

        if not self._secret["webhookSecret"]:
            raise BadSignature  # nobody has told us one, and anybody could sign with none
        if before := self._secret.get("webhookSecretBefore"):
            with suppress(stripe.SignatureVerificationError):
                stripe.WebhookSignature.verify_header(raw_body, signature, before)
                return
        stripe.WebhookSignature.verify_header(raw_body, signature, self._secret["webhookSecret"])

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe

        http_client = stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, self._timeout_seconds))
        return stripe.StripeClient(
            self._secret["secretKey"],
            http_client=http_client,
            max_network_retries=self._max_network_retries,
            base_addresses={"api": self._secret.get("apiBase") or stripe.DEFAULT_API_BASE},
        )

    def _create(
        self, order_id: str, amount: Decimal, currency: str, metadata: Mapping[str, str], number: int
    ) -> str:
        """The order's intent, made or found again. Cards only: a method that settles in days would outlive the hold.
        https://docs.stripe.com/api/payment_intents/create
        """

        def create(idempotency_key: str) -> stripe.PaymentIntent:
            return self._client.v1.payment_intents.create(
                {
                    "amount": to_minor(amount),
                    "currency": currency.lower(),
                    "metadata": {**metadata, "order_id": order_id},
                    "allowed_payment_method_types": ["card"],
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                },
                {"idempotency_key": idempotency_key},
            )

        key = f"order-{order_id}-create" if number == 1 else f"order-{order_id}-create-again-{number}"
        with translated("payment_intents.create"):
            return self._under_key(key, create).id

    def _confirm(self, intent_id: str, payment_token: str, attempt_key: str) -> PaymentResult:
        """One attempt: https://docs.stripe.com/payments/paymentintents/lifecycle."""
        import stripe

        def confirm(idempotency_key: str) -> stripe.PaymentIntent:
            return self._client.v1.payment_intents.confirm(
                intent_id,
                {"payment_method": payment_token, "expand": _WITH_CHARGE},
                {"idempotency_key": idempotency_key},
            )

        with translated("payment_intents.confirm"):
            try:
                intent = self._under_key(f"attempt-{attempt_key}", confirm)
            except stripe.CardError as refusal:
                return self._after_decline(intent_id, refusal)
            except stripe.InvalidRequestError as refusal:
                if is_about_the_payment_method(refusal):
                    return self._after_decline(intent_id, refusal)
                if refusal.code != _UNEXPECTED_STATE:
                    raise
                # Paid, cancelled or being worked on already: what counts is where it stands.
                return self.fetch(intent_id)
        # A replayed answer tells how it was then.
        return self.fetch(intent_id) if was_replayed(intent.last_response) else payment_result(intent)

    def _after_decline(
        self, intent_id: str, refusal: stripe.CardError | stripe.InvalidRequestError
    ) -> PaymentResult:
        """The decline as an outcome, unless the intent was paid or cancelled by other means meanwhile."""
        now = self.fetch(intent_id)
        return now if now.outcome in _SETTLED else declined(now, refusal)

    def _refund_named(self, intent_id: str, key: str) -> stripe.Refund | None:
        with translated("refunds.list"):
            refunds = self._client.v1.refunds.list({"payment_intent": intent_id, "limit": 100})
            for refund in refunds.auto_paging_iter():
                if refund_result(refund).key == key:
                    return refund
        return None

    def _under_key(self, key: str, send: Callable[[str], Answer]) -> Answer:
        """Send under `key`, or under the next where Stripe only replays a 500 it keeps for it.

        A 500 may have done the work. That is harmless here: an unconfirmed intent takes no money, an intent succeeds at
        most once, and refunds were looked up first (https://docs.stripe.com/error-low-level#server-errors).
        """
        import stripe

        for number in range(_KEYS_PER_STEP):
            try:
                return send(key if number == 0 else f"{key}-{number}")
            except stripe.APIError as error:
                if not was_replayed(error):
                    raise
        raise GatewayUnavailable


def _signed_at(signature: str) -> int:
    """The time in a header that was verified, in seconds since 1970: the first, as the library reads it."""
    return int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))


def _event(event: dict[str, Any]) -> WebhookEvent:
    """What an event is about: https://docs.stripe.com/api/events/object. A balance, for one, has no id."""
    item = event["data"]["object"]
    if not isinstance(item, dict):
        raise TypeError
    id_ = item.get("id") or ""
    intent_id = id_ if item.get("object") == "payment_intent" else item.get("payment_intent")
    return WebhookEvent(id=event["id"], type=event["type"], object_id=id_, intent_id=intent_id)
