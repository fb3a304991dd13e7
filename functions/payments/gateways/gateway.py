"""What a payment provider must do for us, in our own words.

One payment (intent) stands for one order: a later attempt confirms it again, so that an order cannot be charged twice.
A buyer who changes to another provider gets another one there, once the first is cancelled.
Declines are outcomes; an exception means that the provider, the network or our configuration is broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol

from shared.errors import AppError, BadInput, ProviderFailed, ProviderTimedOut


class PaymentOutcome(StrEnum):
    """Where the payment of an order stands at the provider."""

    PAID = "paid"
    ACTION_REQUIRED = (
        "action_required"  # the buyer authenticates with `client_secret`, or approves at `approval_url`
    )
    APPROVED = "approved"  # the buyer has approved; the next `pay` takes the money
    DECLINED = "declined"  # see `failure`; another attempt may follow
    PROCESSING = "processing"  # the provider does not know yet; a webhook will tell
    UNPAID = "unpaid"  # nobody has tried yet
    CANCELLED = "cancelled"  # no money can be taken for this order any more


@dataclass(frozen=True)
class Failure:
    """Why a payment was declined: a code for programs, and a message the buyer may read."""

    code: str
    message: str


@dataclass(frozen=True)
class PaymentResult:
    """The state of an order's payment, as the provider told it.

    Attributes:
        intent_id: the provider's id of the order's payment.
        client_secret: lets the buyer's browser act on this payment; for the buyer's eyes alone.
        charge_id: the charge of the latest attempt.
        failure: of the latest attempt, when it was declined; with ACTION_REQUIRED the buyer may choose again.
        amount: what the order costs. `amount_refunded`: what was given back of it so far.
        currency: ISO 4217, upper case.
        order_id: the order this payment is for, as it was named when the payment was created.
        disputed: the buyer's bank has reclaimed the money.
        approval_url: where the buyer approves this payment, while that is due; for the buyer's eyes alone.
    """

    outcome: PaymentOutcome
    intent_id: str
    client_secret: str | None
    charge_id: str | None
    failure: Failure | None
    amount: Decimal
    amount_refunded: Decimal
    currency: str
    order_id: str | None
    disputed: bool
    approval_url: str | None = None


@dataclass(frozen=True)
class CancelResult:
    """`cancelled`: no money can be taken any more. `paid`: too late, the money is here.

    A payment that the provider is still reviewing (`payment.outcome` is PROCESSING) may be `cancelled` as well, where
    a review takes days: nothing more is asked, and what comes of it is money that came late.
    """

    outcome: Literal["cancelled", "paid"]
    payment: PaymentResult


RefundStatus = Literal["succeeded", "pending", "failed"]


@dataclass(frozen=True)
class RefundResult:
    """A refund at the provider. `pending` and even `succeeded` may still become `failed`; a webhook tells.

    Attributes:
        key: the caller's name for it, as passed to `refund`; None for a refund made elsewhere (a dashboard).
        failure: why it failed, in the provider's word.
    """

    refund_id: str
    intent_id: str | None
    status: RefundStatus
    amount: Decimal
    key: str | None
    failure: str | None = None


DisputeStatus = Literal["inquiry", "open", "won", "lost"]


@dataclass(frozen=True)
class DisputeResult:
    """A buyer's complaint at the bank. `inquiry`: only a question so far, no money has moved. `won`: the money is ours.

    Attributes:
        amount: what is disputed; usually the whole charge.
    """

    dispute_id: str
    intent_id: str | None
    status: DisputeStatus
    amount: Decimal


@dataclass(frozen=True)
class Takings:
    """What there is of one payment's money at the provider.

    Attributes:
        intent_id: the provider's id of the payment; where it tells of a charge alone, the charge's.
        order_id: the order it was made for, as it was named then; None if it was not made here.
        captured: what was taken. refunded: what was given back of it, or is about to be. lost: in disputes.
        changed_at: when any of these changed last, as far as the provider tells.
    """

    intent_id: str
    order_id: str | None
    captured: Decimal
    refunded: Decimal
    lost: Decimal
    currency: str
    changed_at: datetime


@dataclass(frozen=True)
class TakingsPage:
    """Some of the payments; `cursor` leads to the next ones, None if there are none."""

    items: list[Takings]
    cursor: str | None


@dataclass(frozen=True)
class WebhookEvent:
    """A provider's message, its signature verified. Not more than a hint: fetch the object it names.

    Attributes:
        id: the same for every delivery of the same event.
        type: the provider's name for what happened, e.g. `payment_intent.succeeded`.
        object_id: what it happened to.
        intent_id: the payment it belongs to; None when it belongs to none, or only `charge_id` is told.
        charge_id: the charge it belongs to.

    Raises:
        ValueError: a part of it is no text, or longer than any provider's, or not to be stored.
    """

    id: str
    type: str
    object_id: str
    intent_id: str | None
    charge_id: str | None = None

    def __post_init__(self) -> None:
        """What is stored here has columns of these sizes."""
        for text, longest in ((self.id, 255), (self.type, 100), (self.object_id, 255)):
            _check(text, longest)
        for name in (self.intent_id, self.charge_id):
            if name is not None:
                _check(name, 255)
        if not self.id or not self.type:
            raise ValueError("an event has an id and a type")


def _check(text: object, longest: int) -> None:
    if not isinstance(text, str) or len(text) > longest or "\x00" in text or not text.isprintable():
        raise ValueError("not a provider's word")


class GatewayUnavailable(ProviderFailed):
    """The provider cannot be reached or is in trouble: try again, with the same keys."""

    message = "The payment provider is unavailable, try again shortly"


class GatewayUndecided(GatewayUnavailable):
    """The provider has answered, but what becomes of this payment is not final yet: try again, with the same keys."""

    message = "The payment provider has not decided yet, try again shortly"


class GatewayCircuitOpen(GatewayUnavailable):
    """The provider was in trouble again and again and is left alone for a while: nothing was asked of it."""


class GatewayTimeout(ProviderTimedOut):
    """No answer in time, the outcome is unknown: try again with the same keys, or fetch."""

    message = "The payment provider did not answer in time"


class GatewayRefused(AppError):
    """The provider will not do this, however often it is asked: a mistake of ours, or of the configuration.

    Attributes:
        provider_code: the provider's word for it, e.g. `amount_too_small`, `charge_already_refunded`.
    """

    status = 502
    code = "PROVIDER_REFUSED"

    def __init__(self, operation: str, provider_code: str | None, request_id: str | None = None) -> None:
        super().__init__(
            f"The payment provider refused {operation}: {provider_code or 'no code given'} ({request_id or '-'})"
        )
        self.provider_code = provider_code


class GatewayKnowsNothing(GatewayRefused):
    """The provider has no payment, refund, … of this name."""


class BadSignature(BadInput):
    """A webhook that the provider has not signed, or signed too long ago."""

    code = "INVALID_SIGNATURE"
    message = "The signature does not match"


class PaymentGateway(Protocol):
    """A payment provider.

    Every method may raise GatewayUnavailable, GatewayTimeout or GatewayRefused. None is called inside a transaction.
    """

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
        """Try to take the money of an order with the buyer's payment method.

        Args:
            intent_id: the order's payment from an earlier attempt; None for the first (also when an earlier call for
                the same order died before its answer was recorded: the same payment is found again).
            amount: with two decimals.
            payment_token: the payment method, as the provider named it to the buyer's browser; None where the buyer
                chooses it at the provider.
            payment_number: 1 for the order's first payment; one more each time an earlier one was cancelled because
                the buyer changed providers.
            attempt_key: one per attempt. The same attempt again gives its own answer again and charges nothing.

        Returns:
            `paid` also when an earlier attempt had already paid; `cancelled` when the payment was cancelled before.
        """
        ...

    def open(
        self,
        *,
        order_id: str,
        amount: Decimal,
        currency: str,
        payment_number: int = 1,
        metadata: Mapping[str, str] | None = None,
    ) -> PaymentResult | None:
        """The order's payment as it stands now, found again or made, without trying to take money.

        Args: as `pay` takes them for the order's first attempt; with others the provider refuses.

        Returns:
            None if the provider takes no payments of this amount, so that there can be none.
        """
        ...

    def fetch(self, intent_id: str) -> PaymentResult:
        """The payment's state now."""
        ...

    def fetch_by_charge(self, charge_id: str) -> PaymentResult | None:
        """The state now of the payment that a charge belongs to; None if it belongs to none."""
        ...

    def cancel(self, intent_id: str) -> CancelResult:
        """Make sure that no money can be taken any more, or learn that it was."""
        ...

    def refund(self, *, intent_id: str, amount: Decimal, key: str, reason: str | None = None) -> RefundResult:
        """Give money back; the same key never gives it twice.

        Args:
            key: our id of the refund.
            reason: for our own records at the provider.
        """
        ...

    def fetch_refund(self, refund_id: str) -> RefundResult:
        """The refund's state now."""
        ...

    def fetch_dispute(self, dispute_id: str) -> DisputeResult:
        """The dispute's state now."""
        ...

    def takings(self, since: datetime, cursor: str | None = None) -> TakingsPage:
        """The payments begun since then that took money, a page of them; a provider may be hours late to list one.

        Args:
            cursor: of the page before; with the same `since`.
        """
        ...

    def takings_of(self, intent_id: str) -> Takings:
        """One payment's money, as it is now."""
        ...

    def verify_webhook(self, raw_body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """What the provider says has happened.

        Args:
            raw_body: the bytes as they came; parsed and serialized again they would not verify.
            headers: what came with them, by lower-case name.

        Raises:
            BadSignature: not from the provider, altered on the way, too old, or not an event.
            GatewayUnavailable: what is needed to tell cannot be had now.
        """
        ...
