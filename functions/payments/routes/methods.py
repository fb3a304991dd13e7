"""GET /api/payments/methods: the ways to pay."""

from uuid import UUID

from functions.payments import provider
from functions.payments.models import PaymentMethods, PaymentMethodView
from functions.payments.settings import FREE_ORDERS_ENABLED, PAYPAL
from shared.api import Api

api = Api("payments")


@api.get("/api/payments/methods", cache_seconds=60)
def methods(user_id: UUID | None = None) -> PaymentMethods:
    """Cards through Stripe, PayPal if we have an account there, and orders that cost nothing.

    What is offered to some users only is in the list for one of them (`userId`), and not in everybody's.
    """
    card = PaymentMethodView(
        type="stripe",
        display_name="Card",
        available=provider.is_available("stripe"),
        publishable_key=provider.stripe_secret()["publishableKey"],
    )
    paypal = PaymentMethodView(
        type="paypal", display_name="PayPal", available=provider.is_available("paypal")
    )
    free = PaymentMethodView(type="free", display_name="Free of charge", available=True)
    items = [card]
    items += [paypal] if provider.takes_paypal() and PAYPAL(user_id) else []
    items += [free] if FREE_ORDERS_ENABLED() else []
    return PaymentMethods(items=items)


handler = api.handler
