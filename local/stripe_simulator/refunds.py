"""Refunds. https://docs.stripe.com/api/refunds and https://docs.stripe.com/refunds"""

from local.stripe_simulator import currencies, disputes, errors, events, followups, listing, methods
from local.stripe_simulator.calls import Call
from local.stripe_simulator.forms import Parameters
from local.stripe_simulator.ids import Json, new_id

_CREATE = frozenset({"amount", "charge", "expand", "metadata", "payment_intent", "reason"})
_LIST = listing.PAGING | {"charge", "payment_intent"}
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call, values: Json) -> Json:
    """POST /v1/refunds: give back a charge or part of it.

    Raises:
        Refusal: no such intent or charge, nothing captured, disputed, already refunded, or more than is left.
    """
    parameters = Parameters(values, _CREATE)
    amount = parameters.integer("amount")
    reason = parameters.choice("reason", _REASONS)
    metadata = parameters.mapping("metadata")
    if amount is not None and amount < 1:
        raise errors.parameter_invalid(
            "amount", "This value must be greater than or equal to 1.", "parameter_invalid_integer"
        )
    charge = _charge(call, parameters)
    left = _left(call, charge, amount)
    refund = _new(call, charge, left if amount is None else amount, reason, metadata)
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    _settle(call, charge, refund)
    call.store.put(charge)
    call.store.put(refund, intent=charge["payment_intent"])
    events.record(call, "refund.created", refund)
    events.record(call, "charge.refunded", charge)
    return listing.expand(call, call.snapshot(refund), parameters.texts("expand"))


def retrieve(call: Call, identifier: str, values: Json) -> Json:
    """GET /v1/refunds/{id}.

    Raises:
        Refusal: 404, no such refund.
    """
    parameters = Parameters(values, frozenset({"expand"}))
    refund = call.store.get("refund", identifier)
    if refund is None:
        raise errors.resource_missing("refund", identifier, "id")
    return listing.expand(call, refund, parameters.texts("expand"))


def list_all(call: Call, values: Json) -> Json:
    """GET /v1/refunds, of one payment intent if asked for."""
    parameters = Parameters(values, _LIST)
    intent = parameters.text("payment_intent")
    charge = parameters.text("charge")
    if charge is not None:
        found = call.store.get("charge", charge)
        if found is None:
            raise errors.resource_missing("charge", charge, "charge", status=400)
        intent = found["payment_intent"]
    page = listing.page(call, "refund", "/v1/refunds", parameters, intent=intent)
    return listing.expand(call, page, parameters.texts("expand"))


def _charge(call: Call, parameters: Parameters) -> Json:
    charge_id, intent_id = parameters.text("charge"), parameters.text("payment_intent")
    if charge_id is None and intent_id is None:
        raise errors.invalid_request(
            "One of the following params should be provided for this request: payment_intent or charge.",
            executed=False,
        )
    if intent_id is not None:
        intent = call.store.get("payment_intent", intent_id)
        if intent is None:
            raise errors.resource_missing("payment_intent", intent_id, "payment_intent")
        charge_id = charge_id or intent["latest_charge"]
    charge = call.store.get("charge", charge_id) if charge_id else None
    if charge_id and charge is None:
        raise errors.resource_missing("charge", charge_id, "charge")
    if charge is None or not charge["paid"]:
        owner = intent_id or (charge or {}).get("payment_intent")
        raise errors.invalid_request(
            f"This PaymentIntent ({owner}) does not have a successful charge to refund."
        )
    return charge


def _left(call: Call, charge: Json, amount: int | None) -> int:
    """Minor units that can still be refunded, if `amount` of them may be."""
    left: int = charge["amount"] - charge["amount_refunded"]
    dispute = disputes.of_charge(call, charge) if charge["disputed"] else None
    if dispute is not None and dispute["status"] != "won":
        raise errors.invalid_request(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if charge["refunded"]:
        raise errors.invalid_request(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is not None and amount > left:
        asked = currencies.shown(amount, charge["currency"])
        limit = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise errors.invalid_request(
            f"Refund amount ({asked}) is greater than {limit} ({currencies.shown(left, charge['currency'])})",
            param="amount",
        )
    return left


def _settle(call: Call, charge: Json, refund: Json) -> None:
    method = methods.retrieve(call, charge["payment_method"])
    course = methods.card_behind(call, method).refund
    if course == "pending":
        refund["status"] = "pending"
        followups.plan(call, "refund_succeeded", refund["id"])
    elif course == "failed":
        followups.plan(call, "refund_failed", refund["id"])


def _new(call: Call, charge: Json, amount: int, reason: str | None, metadata: dict[str, str]) -> Json:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.created,
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
