"""One attempt to pay an intent: authentication where the card asks for it, then the charge, then its outcome.

https://docs.stripe.com/payments/paymentintents/lifecycle and https://docs.stripe.com/declines
"""

from local.stripe_simulator import cards, charges, events, methods
from local.stripe_simulator.calls import Call
from local.stripe_simulator.errors import Refusal
from local.stripe_simulator.ids import Json, new_id

_AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method."
    " Please choose a different payment method and try again."
)


class NoActionDue(Exception):
    """The intent does not wait for the buyer; the message says what it does."""


def begin(call: Call, intent: Json, return_url: str | None) -> None:
    """Confirm an intent that has a payment method; `intent` and the store hold the outcome afterwards.

    Raises:
        Refusal: 402, the card was declined. The decline is recorded all the same.
    """
    method = methods.retrieve(call, intent["payment_method"])
    card = methods.card_behind(call, method)
    intent |= {"last_payment_error": None, "next_action": None}
    if card.authenticates:
        intent |= {"status": "requires_action", "next_action": _next_action(intent, return_url)}
        call.store.put(intent)
        events.record(call, "payment_intent.requires_action", intent)
        return
    if card.kind != "card":
        intent["status"] = "processing"
        call.store.put(intent)
        events.record(call, "payment_intent.processing", intent)
        return
    _charge(call, intent, method, card)


def authenticate(call: Call, intent: Json, succeeded: bool) -> None:
    """The buyer's 3-D Secure step: on success the card is charged (and may still be declined).

    Raises:
        NoActionDue: the intent is in any other state than `requires_action`.
    """
    if intent["status"] != "requires_action":
        raise NoActionDue(f"the payment intent has the status {intent['status']}: no authentication is due")
    method = methods.retrieve(call, intent["payment_method"])
    intent["next_action"] = None
    if not succeeded:
        _fail(
            call,
            intent,
            {
                "code": "payment_intent_authentication_failure",
                "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
                "message": _AUTHENTICATION_FAILED,
                "payment_method": method,
                "type": "invalid_request_error",
            },
        )
        return
    try:
        _charge(call, intent, method, methods.card_behind(call, method))
    except Refusal:
        # Nobody waits for an answer: the decline is in the intent and in its event.
        return


def _charge(call: Call, intent: Json, method: Json, card: cards.Card) -> None:
    if card.decline is None:
        charge = charges.succeed(call, intent, method, card)
        intent |= {
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "status": "succeeded",
        }
        call.store.put(intent)
        events.record(call, "payment_intent.succeeded", intent)
        return
    charge = charges.fail(call, intent, method, card.decline)
    refusal = Refusal(
        402,
        "card_error",
        card.decline.message,
        charge=charge["id"],
        code=card.decline.code,
        decline_code=card.decline.decline_code,
        param="cvc" if card.decline.code == "incorrect_cvc" else None,
        payment_method=method,
    )
    intent["latest_charge"] = charge["id"]
    _fail(call, intent, dict(refusal.error))
    refusal.error["payment_intent"] = intent
    raise refusal


def _fail(call: Call, intent: Json, error: Json) -> None:
    """Back to the start, with the reason: another payment method may be tried."""
    intent |= {"last_payment_error": error, "payment_method": None, "status": "requires_payment_method"}
    call.store.put(intent)
    events.record(call, "payment_intent.payment_failed", intent)


def _next_action(intent: Json, return_url: str | None) -> Json:
    """What Stripe.js, or the browser, is to do: https://docs.stripe.com/payments/3d-secure/authentication-flow."""
    if return_url:
        target = f"https://hooks.stripe.com/3d_secure_2/hosted?payment_intent={intent['id']}"
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": target},
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "source": new_id("src"), "stripe_js": ""},
    }
