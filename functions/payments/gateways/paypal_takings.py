"""What there is of our money at PayPal: payments found by Transaction Search, and how each of them stands.

The search takes up to three hours to know a payment, and names the capture, not the order:
https://developer.paypal.com/docs/api/transaction-search/v1/
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from functions.payments.gateways.gateway import GatewayKnowsNothing, Takings, TakingsPage
from functions.payments.gateways.paypal_answers import (
    CAPTURED,
    Json,
    amount_refunded,
    capture_of,
    dispute_result,
    order_named_in,
    refunds_of,
)
from functions.payments.gateways.paypal_client import PayPalClient
from functions.payments.gateways.paypal_errors import PayPalRefused
from shared.log import logger

log = logger("payments")

ZERO = Decimal("0.00")
PAGE = 20  # each is asked for by itself
LONGEST_SEARCH = timedelta(days=31)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def search(client: PayPalClient, since: datetime, cursor: str | None, now: datetime) -> TakingsPage:
    """A page of the payments received since then. The cursor is the beginning of the search, and its page."""
    start_text, _, page_text = (cursor or f"{since.astimezone(UTC):{_TIME}}|1").partition("|")
    start, page = _instant(start_text), int(page_text)
    end = min(start + LONGEST_SEARCH, now)
    if start >= end:
        return TakingsPage([], None)
    answer = client.transactions(start_text, f"{end:{_TIME}}", page, PAGE)
    infos = [detail["transaction_info"] for detail in answer.get("transaction_details") or []]
    following = None
    if page < int(answer.get("total_pages") or 0):
        following = f"{start_text}|{page + 1}"
    elif end < now:
        following = f"{end:{_TIME}}|1"
    return TakingsPage([_found(client, info) for info in infos], following)


def takings(client: PayPalClient, intent_id: str) -> Takings:
    """How an order's money stands."""
    order = client.order(intent_id)
    capture = capture_of(order)
    unit = order["purchase_units"][0]
    taken = capture is not None and capture["status"] in CAPTURED
    disputes = _disputes(client, capture["id"]) if capture is not None and taken else []
    things = [order, *([capture] if capture else []), *refunds_of(order), *disputes]
    lost = [dispute_result(dispute) for dispute in disputes]
    return Takings(
        intent_id=intent_id,
        order_id=unit.get("custom_id"),
        captured=Decimal(capture["amount"]["value"]) if capture is not None and taken else ZERO,
        refunded=amount_refunded(order, capture),
        lost=sum((dispute.amount for dispute in lost if dispute.status == "lost"), ZERO),
        currency=unit["amount"]["currency_code"],
        changed_at=max(_changed_at(thing) for thing in things),
    )


def _found(client: PayPalClient, info: Json) -> Takings:
    """The payment that a transaction is of; the transaction itself where it belongs to no order there."""
    try:
        intent_id = order_named_in(client.capture(info["transaction_id"]))
        if intent_id is not None:
            return takings(client, intent_id)
    except GatewayKnowsNothing:
        log.info("a transaction is no capture of an order")
    amount = info["transaction_amount"]
    return Takings(
        intent_id=info["transaction_id"],
        order_id=info.get("custom_field"),
        captured=Decimal(amount["value"]),
        refunded=ZERO,
        lost=ZERO,
        currency=amount["currency_code"],
        changed_at=_instant(info["transaction_updated_date"]),
    )


def _disputes(client: PayPalClient, capture_id: str) -> list[Json]:
    try:
        return client.disputes_of(capture_id)
    except PayPalRefused as refused:
        log.error("paypal tells nothing of disputes", extra={"provider_code": refused.provider_code})
        return []


def _changed_at(item: Json) -> datetime:
    return _instant(item.get("update_time") or item["create_time"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
