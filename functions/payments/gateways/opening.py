"""Opening an order's payment without trying to take money: what cancelling needs that paying does not."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from functions.payments.gateways.gateway import GatewayRefused, PaymentGateway, PaymentResult
from functions.payments.gateways.stripe_gateway import StripeGateway

_AMOUNT_REFUSED = ("amount_too_small", "amount_too_large")  # https://docs.stripe.com/error-codes


class OpeningGateway(PaymentGateway, Protocol):
    """A payment provider at which an order's payment can be found although its id was never recorded."""

    def open(
        self, *, order_id: str, amount: Decimal, currency: str, metadata: Mapping[str, str] | None = None
    ) -> PaymentResult | None:
        """The order's payment as it stands now, made first if there is none.

        Args: as `pay` takes them for the order's first attempt; with others the provider refuses.

        Returns:
            None if the provider takes no payments of this amount, so that there can be none.
        """
        ...


class OpeningStripeGateway(StripeGateway):
    """Stripe, where the order's own key finds the intent that an attempt has made, or is about to make."""

    def open(
        self, *, order_id: str, amount: Decimal, currency: str, metadata: Mapping[str, str] | None = None
    ) -> PaymentResult | None:
        """See `OpeningGateway.open`. The answer to the key is the intent as it was made; so it is fetched."""
        try:
            intent_id = self._create(order_id, amount, currency, metadata or {})
        except GatewayRefused as refused:
            if refused.provider_code in _AMOUNT_REFUSED:
                return None
            raise
        return self.fetch(intent_id)
