"""What there is of our money at the payment providers, for an auditor: ids and amounts."""

from datetime import datetime, timedelta
from typing import Any

from functions.payments import provider
from functions.payments.gateways.gateway import GatewayKnowsNothing, PaymentGateway, Takings
from shared.clock import iso

DEFAULT_WINDOW = timedelta(days=1)
PROVIDERS = (provider.STRIPE, provider.PAYPAL)


def read(asked: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The payments asked for, at one provider, as JSON: `{"payments": […], "cursor": …, "providers": […]}`.

    Args:
        asked: `provider` (Stripe if none is named) with either `paymentIds`, or `since` (by default a day ago) and the
            `cursor` of the page before. `providers` in the answer are those that we have an account at.
    """
    ours = [name for name in PROVIDERS if name != provider.PAYPAL or provider.takes_paypal()]
    name = asked.get("provider", provider.STRIPE)
    if name not in ours:
        return {"payments": [], "cursor": None, "providers": ours}
    gateway = provider.gateway_at(name)
    if "paymentIds" in asked:
        found = [_of(gateway, payment_id) for payment_id in asked["paymentIds"]]
        payments, cursor = [taken for taken in found if taken is not None], None
    else:
        since = datetime.fromisoformat(asked["since"]) if "since" in asked else at - DEFAULT_WINDOW
        page = gateway.takings(since, asked.get("cursor"))
        payments, cursor = page.items, page.cursor
    return {"payments": [_told(name, taken) for taken in payments], "cursor": cursor, "providers": ours}


def _of(gateway: PaymentGateway, payment_id: str) -> Takings | None:
    try:
        return gateway.takings_of(payment_id)
    except GatewayKnowsNothing:
        return None


def _told(name: str, taken: Takings) -> dict[str, Any]:
    return {
        "provider": name,
        "paymentId": taken.intent_id,
        "orderId": taken.order_id,
        "captured": str(taken.captured),
        "refunded": str(taken.refunded),
        "lost": str(taken.lost),
        "currency": taken.currency,
        "changedAt": iso(taken.changed_at),
    }
