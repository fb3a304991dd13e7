"""What tests of refunds ask: how much is left, what a dashboard gives back, and what sweeps make of it."""

from functions.payments.jobs import resume_payments
from tests.payments_shop import Shop
from tests.support import context


def left(shop: Shop, order_id: str) -> str:
    """What was paid, is not given back and is not about to be."""
    order = shop.order(order_id)
    return str(order["captured_amount"] - order["refunded_amount"] - order["refunding_amount"])


def intent_of(shop: Shop, order_id: str) -> str:
    """The order's payment at its provider."""
    return str(shop.order(order_id)["payment_gateway_transaction_id"])


def give_back_in_dashboard(shop: Shop, order_id: str, cents: int) -> None:
    """Behind our back, at Stripe; its webhook is not sent."""
    asked = {"payment_intent": intent_of(shop, order_id), "amount": cents}
    shop.stripe.client().v1.refunds.create(asked)  # type: ignore[arg-type]


def sweep(shop: Shop) -> None:
    """What is left behind is gone on with, until nothing is."""
    for _ in range(3):
        resume_payments.handler({"olderThanSeconds": 0}, context())
        shop.deliver()
