"""Charges: one per attempt to take the money. https://docs.stripe.com/api/charges/object"""

from local.stripe_simulator import cards, errors, followups
from local.stripe_simulator.calls import Call
from local.stripe_simulator.ids import Json, new_id

# What a new charge has not.
_BLANK: Json = {
    "amount_captured": 0,
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "captured": False,
    "customer": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "livemode": False,
    "on_behalf_of": None,
    "outcome": None,
    "paid": False,
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "transfer_data": None,
    "transfer_group": None,
}

_APPROVED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 12,
    "seller_message": "Payment complete.",
    "type": "authorized",
}


def succeed(call: Call, intent: Json, method: Json, card: cards.Card) -> Json:
    """Take the money; a card that disputes does so shortly after."""
    charge = _new(call, intent, method) | {
        "amount_captured": intent["amount"],
        "captured": True,
        "outcome": _APPROVED,
        "paid": True,
        "status": "succeeded",
    }
    call.store.put(charge, intent=intent["id"])
    if card.dispute:
        followups.plan(call, "dispute", charge["id"])
    return charge


def fail(call: Call, intent: Json, method: Json, decline: cards.Decline) -> Json:
    """Record the attempt that the issuer refused."""
    charge = _new(call, intent, method) | {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _APPROVED
        | {
            "network_status": "declined_by_network",
            "reason": decline.decline_code or decline.code,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
        "status": "failed",
    }
    call.store.put(charge, intent=intent["id"])
    return charge


def retrieve(call: Call, identifier: str) -> Json:
    """GET /v1/charges/{id}.

    Raises:
        Refusal: 404, no such charge.
    """
    charge = call.store.get("charge", identifier)
    if charge is None:
        raise errors.resource_missing("charge", identifier, "id")
    return charge


def _new(call: Call, intent: Json, method: Json) -> Json:
    identifier = new_id("ch")
    return _BLANK | {
        "id": identifier,
        "object": "charge",
        "amount": intent["amount"],
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "BOX OFFICE",
        "created": call.created,
        "currency": intent["currency"],
        "description": intent["description"],
        "metadata": intent["metadata"],
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": method["card"]},
        "receipt_email": intent["receipt_email"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
    }
