"""What there is of the orders' money at the payment providers, as payments reads it there: no other code knows them."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from functions.platform import settings
from functions.platform.audit.findings import Scope
from shared import aws
from shared.clock import iso
from shared.log import logger

log = logger("platform")

READ_SECONDS = 130  # longer than the function that reads may take
# An order is paid within a day of its beginning, so that what changed in the window has begun by then.
LONGEST_PURCHASE = timedelta(days=1)
# Lists reach no further back: of older orders, those that claim money have theirs asked for one by one.
LONGEST_LIST = timedelta(days=31)
_AT_ONCE = 20

Json = dict[str, Any]
Ask = Callable[[Json], Json]


class NotRead(Exception):
    """Payments could not read a provider now."""


@dataclass(frozen=True)
class Payment:
    """One payment's money at its provider."""

    provider: str
    id: str
    order_id: UUID | None
    left: Decimal
    currency: str
    changed_at: datetime


@dataclass
class Takings:
    """The payments of the window, and those asked for each by itself; `complete` unless one was not read."""

    ask: Ask
    payments: list[Payment]
    complete: bool = True

    def add(self, provider: str, payment_ids: list[str]) -> None:
        """Ask for these payments, too."""
        limit = settings.GATEWAY_LIMIT()
        self.complete = self.complete and len(payment_ids) <= limit
        for start in range(0, min(len(payment_ids), limit), _AT_ONCE):
            ids = payment_ids[start : min(start + _AT_ONCE, limit)]
            try:
                self.payments += map(
                    _payment, self.ask({"provider": provider, "paymentIds": ids})["payments"]
                )
            except NotRead:
                self.complete = False
                return


def read(ask: Ask, scope: Scope) -> Takings:
    """The payments of orders of the scope, at every provider that we have an account at."""
    takings = Takings(ask, [])
    begun = iso(max(scope.since - LONGEST_PURCHASE, scope.at - LONGEST_LIST))
    for provider in ("stripe", "paypal"):
        try:
            for page in _pages(ask, provider, begun):
                takings.payments += map(_payment, page["payments"])
                if (
                    sum(payment.provider == provider for payment in takings.payments)
                    >= settings.GATEWAY_LIMIT()
                ):
                    takings.complete = takings.complete and page["cursor"] is None
                    break
        except NotRead:
            takings.complete = False
    return takings


def invoke(asked: Json) -> Json:
    """Have payments' function read a provider.

    Raises:
        NotRead: it failed, or did not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client = aws.client("lambda", read_timeout=READ_SECONDS, tries=2)
    try:
        answer = client.invoke(FunctionName=os.environ["GATEWAY_READER"], Payload=json.dumps(asked).encode())
    except (BotoCoreError, ClientError) as broken:
        log.warning("the gateways' reader does not answer")
        raise NotRead from broken
    payload: Json = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        log.warning("the gateways' reader failed", extra={"error_type": payload.get("errorType")})
        raise NotRead
    return payload


def _pages(ask: Ask, provider: str, since: str) -> Iterator[Json]:
    cursor: str | None = None
    while True:
        page = ask({"provider": provider, "since": since} | ({"cursor": cursor} if cursor else {}))
        yield page
        cursor = page["cursor"]
        if cursor is None:
            return


def _payment(told: Json) -> Payment:
    try:
        order_id = UUID(told["orderId"]) if told["orderId"] else None
    except ValueError:
        order_id = None  # not one of ours
    left = Decimal(told["captured"]) - Decimal(told["refunded"]) - Decimal(told["lost"])
    changed_at = datetime.fromisoformat(told["changedAt"])
    return Payment(told["provider"], told["paymentId"], order_id, left, told["currency"], changed_at)
