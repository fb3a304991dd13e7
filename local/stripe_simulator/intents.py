"""PaymentIntents: creation, reading, confirmation, cancellation, and the buyer's 3-D Secure step.

The states and what leads from one to the next: https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from local.stripe_simulator import attempts, currencies, errors, events, listing, methods
from local.stripe_simulator.calls import Call
from local.stripe_simulator.forms import Parameters
from local.stripe_simulator.ids import Json, new_client_secret, new_id

_CREATE = frozenset(
    {
        *("allowed_payment_method_types", "amount", "automatic_payment_methods", "capture_method", "confirm"),
        *(
            "confirmation_method",
            "currency",
            "description",
            "expand",
            "metadata",
            "off_session",
            "payment_method",
        ),
        *("receipt_email", "return_url", "statement_descriptor_suffix", "use_stripe_sdk"),
    }
)
_CONFIRM = frozenset(
    {
        "expand",
        "mandate_data",
        "off_session",
        "payment_method",
        "receipt_email",
        "return_url",
        "use_stripe_sdk",
    }
)
_CANCEL = frozenset({"cancellation_reason", "expand"})
_CANCELLATION_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
# And `processing` "in rare cases", none of which is simulated: https://docs.stripe.com/api/payment_intents/cancel.
_CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_METHOD_TYPES = ("card", "us_bank_account")
_AUTOMATIC = frozenset({"enabled", "allow_redirects"})

# What a new intent has not.
_BLANK: Json = {
    "amount_capturable": 0,
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "customer": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "processing": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "transfer_data": None,
    "transfer_group": None,
}

_NO_METHOD = (
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the"
    " PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method"
    " or ConfirmationToken."
)
_NO_RETURN_URL = (
    "A `return_url` must be specified because this Payment Intent is configured to automatically accept the payment"
    " methods enabled in the Dashboard, some of which may require a full page redirect to succeed. If you do not want"
    " to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and"
    " `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents."
)


def create(call: Call, values: Json) -> Json:
    """POST /v1/payment_intents, and its confirmation when `confirm=true`.

    Raises:
        Refusal: bad parameters; 402 when the confirmation is declined (the intent then exists and may be confirmed
            again with another card).
    """
    parameters = Parameters(values, _CREATE)
    amount = parameters.required_integer("amount")
    currency = parameters.required_text("currency").lower()
    currencies.check_charge(amount, currency)
    confirm = parameters.flag("confirm")
    intent = _new(call, parameters, amount, currency)
    if not confirm and parameters.text("return_url"):
        raise errors.invalid_request(
            "`return_url` can only be provided when `confirm` is set to `true`.",
            param="return_url",
            executed=False,
        )
    if name := parameters.text("payment_method"):
        intent["payment_method"] = methods.attach(call, name, intent)["id"]
        intent["status"] = "requires_confirmation"
    if confirm:
        _check_can_confirm(intent, parameters)
    call.store.put(intent, intent=intent["id"])
    events.record(call, "payment_intent.created", intent)
    if confirm:
        attempts.begin(call, intent, parameters.text("return_url"))
    return listing.expand(call, call.snapshot(intent), parameters.texts("expand"))


def retrieve(call: Call, identifier: str, values: Json) -> Json:
    """GET /v1/payment_intents/{id}.

    Raises:
        Refusal: 404, no such intent.
    """
    parameters = Parameters(values, frozenset({"expand", "client_secret"}))
    return listing.expand(call, _intent(call, identifier), parameters.texts("expand"))


def list_all(call: Call, values: Json) -> Json:
    """GET /v1/payment_intents, newest first."""
    parameters = Parameters(values, listing.PAGING)
    page = listing.page(call, "payment_intent", "/v1/payment_intents", parameters)
    return listing.expand(call, page, parameters.texts("expand"))


def confirm(call: Call, identifier: str, values: Json) -> Json:
    """POST /v1/payment_intents/{id}/confirm: the buyer means it; charge, or ask for authentication.

    Raises:
        Refusal: 400 in a state that does not allow it; 402 when the card is declined.
    """
    parameters = Parameters(values, _CONFIRM)
    intent = _intent(call, identifier)
    if intent["status"] == "succeeded":
        raise errors.unexpected_state(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
            intent,
        )
    if intent["status"] not in _CONFIRMABLE:
        raise errors.unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be confirmed: {', '.join(_CONFIRMABLE)}.",
            intent,
        )
    name = parameters.text("payment_method")
    if name:
        intent["payment_method"] = methods.attach(call, name, intent)["id"]
    _check_can_confirm(intent, parameters)
    if name or intent["status"] != "requires_action":
        intent["receipt_email"] = parameters.text("receipt_email") or intent["receipt_email"]
        attempts.begin(call, intent, parameters.text("return_url"))
    return listing.expand(call, call.snapshot(intent), parameters.texts("expand"))


def cancel(call: Call, identifier: str, values: Json) -> Json:
    """POST /v1/payment_intents/{id}/cancel: no money can be taken through it any more.

    Raises:
        Refusal: 400 `payment_intent_unexpected_state` once it has succeeded or was cancelled.
    """
    parameters = Parameters(values, _CANCEL)
    reason = parameters.choice("cancellation_reason", _CANCELLATION_REASONS)
    intent = _intent(call, identifier)
    if intent["status"] not in _CANCELLABLE:
        raise errors.unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
            f" with one of the following statuses may be canceled: {', '.join(_CANCELLABLE)}.",
            intent,
        )
    intent |= {
        "status": "canceled",
        "canceled_at": call.created,
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    call.store.put(intent)
    events.record(call, "payment_intent.canceled", intent)
    return listing.expand(call, intent, parameters.texts("expand"))


def _intent(call: Call, identifier: str) -> Json:
    intent = call.store.get("payment_intent", identifier)
    if intent is None:
        raise errors.resource_missing("payment_intent", identifier, "intent")
    return intent


def _check_can_confirm(intent: Json, parameters: Parameters) -> None:
    parameters.flag("off_session")
    parameters.flag("use_stripe_sdk")
    automatic = intent["automatic_payment_methods"]
    if automatic["allow_redirects"] == "always" and not parameters.text("return_url"):
        raise errors.invalid_request(_NO_RETURN_URL, param="return_url", executed=False)
    if intent["payment_method"] is None:
        raise errors.unexpected_state(_NO_METHOD, intent)


def _automatic_payment_methods(parameters: Parameters) -> Json:
    """Absent means enabled with redirects, as since https://docs.stripe.com/upgrades#2023-08-16."""
    automatic = parameters.nested("automatic_payment_methods", _AUTOMATIC)
    if automatic is None:
        return {"allow_redirects": "always", "enabled": True}
    redirects = automatic.choice("allow_redirects", ("always", "never")) or "always"
    return {"allow_redirects": redirects, "enabled": automatic.flag("enabled")}


def _new(call: Call, parameters: Parameters, amount: int, currency: str) -> Json:
    if parameters.text("capture_method") == "manual":
        raise errors.parameter_invalid("capture_method", "capture_method=manual is not simulated")
    allowed = parameters.texts("allowed_payment_method_types") or list(_METHOD_TYPES)
    if set(allowed) - set(_METHOD_TYPES):
        raise errors.parameter_invalid("allowed_payment_method_types", "only cards and debits are simulated")
    identifier = new_id("pi")
    return _BLANK | {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_details": {"tip": {}},
        "automatic_payment_methods": _automatic_payment_methods(parameters),
        "capture_method": parameters.choice("capture_method", ("automatic", "automatic_async"))
        or "automatic_async",
        "client_secret": new_client_secret(identifier),
        "confirmation_method": parameters.choice("confirmation_method", ("automatic", "manual"))
        or "automatic",
        "created": call.created,
        "currency": currency,
        "description": parameters.text("description"),
        "metadata": parameters.mapping("metadata"),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": allowed,
        "receipt_email": parameters.text("receipt_email"),
        "statement_descriptor_suffix": parameters.text("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }
