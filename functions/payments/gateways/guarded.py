"""A payment provider behind a circuit breaker: one that is in trouble is left alone for a while.

Only that the provider cannot be reached, is in trouble itself or does not answer counts; what it declines or refuses is
an answer, and so is that it has not decided: one payment that it keeps open says nothing of all the others. Webhooks
are verified all the same: they come from the provider, and ask it for next to nothing. So are books read: trouble with
reports is none with payments.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from functions.payments.gateways.gateway import (
    CancelResult,
    DisputeResult,
    GatewayCircuitOpen,
    GatewayTimeout,
    GatewayUnavailable,
    GatewayUndecided,
    PaymentGateway,
    PaymentResult,
    RefundResult,
    Takings,
    TakingsPage,
    WebhookEvent,
)
from shared.breaker import Breaker, CircuitOpen

T = TypeVar("T")


def is_trouble(error: Exception) -> bool:
    """Whether an error of a gateway means that the provider is in trouble."""
    return isinstance(error, GatewayUnavailable | GatewayTimeout) and not isinstance(error, GatewayUndecided)


class GuardedGateway:
    """`PaymentGateway` through `breaker`: while it is open, nothing is asked and a call raises GatewayCircuitOpen."""

    def __init__(self, gateway: PaymentGateway, breaker: Breaker) -> None:
        self._gateway, self._breaker = gateway, breaker

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
        return self._guarded(
            lambda: self._gateway.pay(
                order_id=order_id,
                intent_id=intent_id,
                amount=amount,
                currency=currency,
                payment_token=payment_token,
                attempt_key=attempt_key,
                payment_number=payment_number,
                metadata=metadata,
            )
        )

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
        return self._guarded(
            lambda: self._gateway.open(
                order_id=order_id,
                amount=amount,
                currency=currency,
                payment_number=payment_number,
                metadata=metadata,
            )
        )

    def fetch(self, intent_id: str) -> PaymentResult:
        """See `PaymentGateway.fetch`."""
        return self._guarded(lambda: self._gateway.fetch(intent_id))

    def fetch_by_charge(self, charge_id: str) -> PaymentResult | None:
        """See `PaymentGateway.fetch_by_charge`."""
        return self._guarded(lambda: self._gateway.fetch_by_charge(charge_id))

    def cancel(self, intent_id: str) -> CancelResult:
        """See `PaymentGateway.cancel`."""
        return self._guarded(lambda: self._gateway.cancel(intent_id))

    def refund(self, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> RefundResult:
        """See `PaymentGateway.refund`."""
        return self._guarded(
            lambda: self._gateway.refund(intent_id=intent_id, amount=amount, key=key, reason=reason)
        )

    def fetch_refund(self, refund_id: str) -> RefundResult:
        """See `PaymentGateway.fetch_refund`."""
        return self._guarded(lambda: self._gateway.fetch_refund(refund_id))

    def fetch_dispute(self, dispute_id: str) -> DisputeResult:
        """See `PaymentGateway.fetch_dispute`."""
        return self._guarded(lambda: self._gateway.fetch_dispute(dispute_id))

    def takings(self, since: datetime, cursor: str | None = None) -> TakingsPage:
        """See `PaymentGateway.takings`."""
        return self._gateway.takings(since, cursor)

    def takings_of(self, intent_id: str) -> Takings:
        """See `PaymentGateway.takings_of`."""
        return self._gateway.takings_of(intent_id)

    def verify_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """See `PaymentGateway.verify_webhook`."""
        return self._gateway.verify_webhook(raw_body, headers)

    def _guarded(self, call: Callable[[], T]) -> T:
        try:
            return self._breaker(call)
        except CircuitOpen as open_:
            raise GatewayCircuitOpen(retry_after=open_.retry_after) from None
