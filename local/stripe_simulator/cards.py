"""Stripe's published test tokens and what each does: https://docs.stripe.com/testing."""

from dataclasses import dataclass

from local.stripe_simulator.ids import Json


@dataclass(frozen=True)
class Decline:
    """Why a charge fails: error `code`, the issuer's `decline_code` if it gave one, and what the buyer may read.
    https://docs.stripe.com/declines/codes
    """

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """One test token.

    Attributes:
        brand, last4, country: as the payment method shows them.
        kind: Stripe's type of it. What is no card is debited in days: its payment stays `processing`.
        authenticates: asks for 3-D Secure before it is charged.
        decline: refuses the charge (after the authentication, if it asks for one).
        dispute: reason of the dispute that follows a successful charge.
        inquiry: that dispute is a question only: https://docs.stripe.com/disputes/how-disputes-work#inquiries.
        refund: how refunds go: `succeeded` at once, `pending` and later succeeded, or `failed` afterwards.
    """

    brand: str = "visa"
    last4: str = "4242"
    country: str = "US"
    kind: str = "card"
    authenticates: bool = False
    decline: Decline | None = None
    dispute: str | None = None
    inquiry: bool = False
    refund: str = "succeeded"


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.")
EXPIRED = Decline("expired_card", None, "Your card has expired.")
INCORRECT_CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
INCORRECT_ZIP = Decline("incorrect_zip", None, "The zip code you supplied failed validation.")
PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)

# https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-account-numbers
_BANK_ACCOUNTS = {"pm_usBankAccount_processing": Card(last4="0009", kind="us_bank_account")}

# Each has a card that pays, by its ISO code.
_COUNTRIES = """
    us ar br ca cl co cr ec mx pa py pe uy ae at be bg by hr cy cz dk ee fi fr de gi gr hu ie it lv li lt lu mt nl no
    pl pt ro sa si sk es se ch gb au cn hk in jp my nz sg tw th
"""

# What follows `pm_card_` (and an optional `visa_`).
_BEHAVIOURS = {
    "visa": Card(),
    "visa_debit": Card(last4="5556"),
    "debit": Card(last4="5556"),
    "mastercard": Card("mastercard", "4444"),
    "mastercard_debit": Card("mastercard", "8210"),
    "mastercard_prepaid": Card("mastercard", "5100"),
    "amex": Card("amex", "8431"),
    "discover": Card("discover", "1117"),
    "diners": Card("diners", "0004"),
    "jcb": Card("jcb", "0505"),
    "unionpay": Card("unionpay", "0005"),
    "bypassPending": Card(last4="0077"),
    "bypassPendingInternational": Card(last4="3720"),
    "domesticPricing": Card(last4="0093"),
    "chargeDeclined": Card(last4="0002", decline=GENERIC),
    "chargeCustomerFail": Card(last4="0341", decline=GENERIC),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", decline=INSUFFICIENT_FUNDS),
    "chargeDeclinedLostCard": Card(last4="9987", decline=LOST),
    "chargeDeclinedStolenCard": Card(last4="9979", decline=STOLEN),
    "chargeDeclinedFraudulent": Card(last4="0019", decline=FRAUDULENT),
    "radarBlock": Card(last4="0019", decline=FRAUDULENT),
    "chargeDeclinedExpiredCard": Card(last4="0069", decline=EXPIRED),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", decline=INCORRECT_CVC),
    "chargeDeclinedIncorrectZip": Card(last4="0036", decline=INCORRECT_ZIP),
    "chargeDeclinedProcessingError": Card(last4="0119", decline=PROCESSING),
    "chargeDeclinedVelocityLimitExceeded": Card(last4="6975", decline=VELOCITY),
    "authenticationRequired": Card(last4="3184", authenticates=True),
    "authenticationRequiredOnSetup": Card(last4="3155", authenticates=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        last4="3178", authenticates=True, decline=INSUFFICIENT_FUNDS
    ),
    "threeDSecureRequired": Card(last4="3063", authenticates=True),
    "threeDSecure2Required": Card(last4="3220", authenticates=True),
    "threeDSecureRequiredChargeDeclined": Card(last4="1629", authenticates=True, decline=GENERIC),
    "threeDSecureRequiredProcessingError": Card(last4="1280", authenticates=True, decline=PROCESSING),
    "threeDSecureOptional": Card(last4="3055"),
    "amex_threeDSecureNotSupported": Card("amex", "0005"),
    "createDispute": Card(last4="0259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "createDisputeInquiry": Card(last4="1976", dispute="general", inquiry=True),
    "pendingRefund": Card(last4="7726", refund="pending"),
    "refundFail": Card(last4="5126", refund="failed"),
} | {country: Card(country=country.upper()) for country in _COUNTRIES.split()}


def card_for(token: str) -> Card | None:
    """The card behind a test token such as `pm_card_visa`; None when Stripe publishes no such token."""
    if not token.startswith("pm_card_"):
        return _BANK_ACCOUNTS.get(token)
    name = token.removeprefix("pm_card_")
    return _BEHAVIOURS.get(name) or _BEHAVIOURS.get(name.removeprefix("visa_"))


def details(card: Card) -> Json:
    """The part of a payment method that has its type's name: https://docs.stripe.com/api/payment_methods/object."""
    if card.kind != "card":
        return {"account_type": "checking", "bank_name": "STRIPE TEST BANK", "last4": card.last4}
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"simulated{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
