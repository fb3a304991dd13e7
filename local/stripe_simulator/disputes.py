"""Disputes: the cardholder asks the bank for the money. https://docs.stripe.com/api/disputes/object

An inquiry (`warning_…`) takes nothing. A dispute takes the money at once and gives it back if it is won. Who wins is
decided by what is written into the evidence, as in Stripe's test mode: https://docs.stripe.com/testing#disputes
"""

import json

from local.stripe_simulator import cards, errors, events, listing
from local.stripe_simulator.calls import Call
from local.stripe_simulator.forms import Parameters
from local.stripe_simulator.ids import Json, new_id

_UPDATE = frozenset({"evidence", "expand", "metadata", "submit"})
_LIST = listing.PAGING | {"charge", "payment_intent"}
_DECIDING = {"winning_evidence": "won", "losing_evidence": "lost"}
_DECIDED = ("won", "lost", "warning_closed")


def open_for(call: Call, charge_id: str) -> None:
    """The card behind a charge disputes it, unless it was refunded or disputed before."""
    charge = call.store.get("charge", charge_id)
    if charge is None or charge["disputed"] or charge["refunded"] or of_charge(call, charge):
        return
    card = cards.card_for(call.store.token_of(charge["payment_method"]) or "")
    inquiry = card is not None and card.inquiry
    if not inquiry:
        charge["disputed"] = True
        call.store.put(charge)
    dispute: Json = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge_id,
        "created": call.created,
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": call.created + 9 * 86400,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": card.dispute if card and card.dispute else "general",
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    call.store.put(dispute, intent=charge["payment_intent"])
    events.record(call, "charge.dispute.created", dispute)


def retrieve(call: Call, identifier: str, values: Json) -> Json:
    """GET /v1/disputes/{id}.

    Raises:
        Refusal: 404, no such dispute.
    """
    Parameters(values, frozenset({"expand"}))
    return _dispute(call, identifier)


def list_all(call: Call, values: Json) -> Json:
    """GET /v1/disputes, of one payment intent or charge if asked for, newest first.

    Raises:
        Refusal: 400, no such charge.
    """
    parameters = Parameters(values, _LIST)
    intent, charge_id = parameters.text("payment_intent"), parameters.text("charge")
    if charge_id is not None:
        charge = call.store.get("charge", charge_id)
        if charge is None:
            raise errors.resource_missing("charge", charge_id, "charge", status=400)
        intent = charge["payment_intent"]
    page = listing.page(call, "dispute", "/v1/disputes", parameters, intent=intent)
    return listing.expand(call, page, parameters.texts("expand"))


def update(call: Call, identifier: str, values: Json) -> Json:
    """POST /v1/disputes/{id}: evidence, of which Stripe's test mode knows the winning and the losing kind.

    Raises:
        Refusal: no such dispute, or it is decided.
    """
    parameters = Parameters(values, _UPDATE)
    evidence = parameters.mapping("evidence")
    dispute = _undecided(call, identifier)
    dispute["evidence"] |= evidence
    dispute["evidence_details"] |= {"has_evidence": bool(evidence), "submission_count": 1}
    decision = _DECIDING.get(evidence.get("uncategorized_text", ""))
    if decision is not None:
        _decide(call, dispute, decision)
    else:
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
        call.store.put(dispute)
        events.record(call, "charge.dispute.updated", dispute)
    return dispute


def close(call: Call, identifier: str, values: Json) -> Json:
    """POST /v1/disputes/{id}/close: the merchant gives in.

    Raises:
        Refusal: no such dispute, or it is decided.
    """
    Parameters(values, frozenset({"expand"}))
    dispute = _undecided(call, identifier)
    _decide(call, dispute, "lost")
    return dispute


def of_charge(call: Call, charge: Json) -> Json | None:
    """The charge's dispute, if it has one."""
    row = call.store.row(
        "SELECT body FROM objects WHERE object = 'dispute' AND intent = :intent",
        intent=charge["payment_intent"],
    )
    found: Json | None = json.loads(row["body"]) if row else None
    return found


def _decide(call: Call, dispute: Json, decision: str) -> None:
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if inquiry else decision
    call.store.put(dispute)
    events.record(call, "charge.dispute.closed", dispute)


def _undecided(call: Call, identifier: str) -> Json:
    dispute = _dispute(call, identifier)
    if dispute["status"] in _DECIDED:
        raise errors.invalid_request("This dispute is already closed")
    return dispute


def _dispute(call: Call, identifier: str) -> Json:
    dispute = call.store.get("dispute", identifier)
    if dispute is None:
        raise errors.resource_missing("dispute", identifier, "id")
    return dispute
