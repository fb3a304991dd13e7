"""Payment methods: the test tokens of https://docs.stripe.com/testing, each made a `pm_1…` of its own when used."""

from local.stripe_simulator import cards, errors
from local.stripe_simulator.calls import Call
from local.stripe_simulator.ids import Json, new_id

_USED_WITHOUT_CUSTOMER = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a"
    " connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use"
    " a PaymentMethod multiple times, you must attach it to a Customer first."
)
_NOT_ALLOWED = (
    "The PaymentMethod provided ({}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the"
    " following types: {}."
)


def attach(call: Call, name: str, intent: Json) -> Json:
    """The payment method for an intent: a new one for a test token, else the intent's own.

    Raises:
        Refusal: 400 for an unknown token or id, for a method that another attempt has used up, and for one of a type
            that the intent does not allow.
    """
    card = cards.card_for(name)
    if card is None:
        return _existing(call, name, intent)
    if card.kind not in intent["payment_method_types"]:
        allowed = ", ".join(intent["payment_method_types"])
        raise errors.invalid_request(_NOT_ALLOWED.format(card.kind, allowed), param="payment_method")
    method: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        card.kind: cards.details(card),
        "created": call.created,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": card.kind,
    }
    call.store.put(method, intent=intent["id"], token=name)
    return method


def _existing(call: Call, name: str, intent: Json) -> Json:
    method = call.store.get("payment_method", name)
    if method is None:
        raise errors.resource_missing("PaymentMethod", name, "payment_method", status=400)
    if intent["payment_method"] != name:
        raise errors.invalid_request(_USED_WITHOUT_CUSTOMER)
    return method


def card_behind(call: Call, method: Json) -> cards.Card:
    """What the test token behind a payment method does."""
    card = cards.card_for(call.store.token_of(method["id"]) or "")
    if card is None:
        raise LookupError(f"payment method {method['id']} was made without a test token")
    return card


def retrieve(call: Call, identifier: str) -> Json:
    """GET /v1/payment_methods/{id}.

    Raises:
        Refusal: 404, no such payment method.
    """
    method = call.store.get("payment_method", identifier)
    if method is None:
        raise errors.resource_missing("PaymentMethod", identifier, "payment_method")
    return method
