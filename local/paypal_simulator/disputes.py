"""Disputes: the buyer reclaims the money, and PayPal decides. https://developer.paypal.com/docs/api/customer-disputes/v1/"""

import json
from decimal import Decimal

from local.paypal_simulator import errors, events
from local.paypal_simulator.calls import Call, new_id
from local.simulation.json import Json

INQUIRY, CHARGEBACK = "INQUIRY", "CHARGEBACK"
_FOR_SELLER, _FOR_BUYER = "RESOLVED_SELLER_FAVOUR", "RESOLVED_BUYER_FAVOUR"


def open_for(call: Call, capture_id: str, stage: str = CHARGEBACK) -> None:
    """The buyer of a capture disputes it, unless it was refunded or disputed before."""
    capture = call.store.get("capture", capture_id)
    if capture is None or capture["status"] != "COMPLETED" or of_capture(call, capture_id):
        return
    dispute: Json = {
        "id": f"PP-D-{new_id(6)}",
        "create_time": call.stamp,
        "update_time": call.stamp,
        "disputed_transactions": [
            {
                "seller_transaction_id": capture_id,
                "custom": capture.get("custom_id"),
                "invoice_number": capture.get("invoice_id"),
            }
        ],
        "reason": "UNAUTHORISED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": capture["amount"],
        "dispute_life_cycle_stage": stage,
    }
    dispute["dispute_id"] = dispute["id"]
    _tell(call, "CREATED", dispute)


def escalate(call: Call, dispute: Json) -> Json:
    """The buyer makes a claim of what was a question."""
    dispute |= {"dispute_life_cycle_stage": CHARGEBACK, "update_time": call.stamp}
    return _tell(call, "UPDATED", dispute)


def resolve(call: Call, dispute: Json, *, for_seller: bool) -> Json:
    """PayPal decides; for the buyer, it takes the money back."""
    outcome: Json = {"outcome_code": _FOR_SELLER if for_seller else _FOR_BUYER}
    if not for_seller:
        outcome["amount_refunded"] = dispute["dispute_amount"]
    dispute |= {"status": "RESOLVED", "dispute_outcome": outcome, "update_time": call.stamp}
    if not for_seller:
        capture = call.store.get("capture", _capture_of(dispute))
        assert capture is not None
        events.record(call, "PAYMENT.CAPTURE.REVERSED", "capture", capture)
    return _tell(call, "RESOLVED", dispute)


def retrieve(call: Call, identifier: str, _: Json) -> Json:
    """GET /v1/customer/disputes/{id}.

    Raises:
        Refusal: 404, no such dispute.
    """
    dispute = call.store.get("dispute", identifier)
    if dispute is None:
        raise errors.not_found()
    return dispute


def search(call: Call, _: str, query: Json) -> Json:
    """GET /v1/customer/disputes?disputed_transaction_id=."""
    return {"items": of_capture(call, str(query.get("disputed_transaction_id"))), "links": []}


def of_capture(call: Call, capture_id: str) -> list[Json]:
    """The disputes about a capture."""
    rows = call.store.rows(
        "SELECT body FROM objects WHERE object = 'dispute' AND intent = :capture_id", capture_id=capture_id
    )
    return [json.loads(row["body"]) for row in rows]


def lost(call: Call, captures: list[Json]) -> Decimal:
    """What PayPal took back of these captures."""
    found = [dispute for capture in captures for dispute in of_capture(call, capture["id"])]
    taken = [item for item in found if item.get("dispute_outcome", {}).get("outcome_code") == _FOR_BUYER]
    return sum((Decimal(item["dispute_amount"]["value"]) for item in taken), Decimal("0.00"))


def _tell(call: Call, what: str, dispute: Json) -> Json:
    call.keep("dispute", dispute, intent=_capture_of(dispute))
    told = {name: value for name, value in dispute.items() if name != "id"}
    events.record(call, f"CUSTOMER.DISPUTE.{what}", "dispute", told)
    return dispute


def _capture_of(dispute: Json) -> str:
    return str(dispute["disputed_transactions"][0]["seller_transaction_id"])
