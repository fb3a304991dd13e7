"""Captures and refunds: https://developer.paypal.com/docs/api/payments/v2/."""

from decimal import Decimal

from local.paypal_simulator import disputes, errors, events, followups, fundings, orders
from local.paypal_simulator.calls import Call, new_id
from local.simulation.json import Json

ZERO = Decimal("0.00")


def get_capture(call: Call, identifier: str, _: Json) -> Json:
    """GET /v2/payments/captures/{id}."""
    return _found(call, "capture", identifier)


def get_refund(call: Call, identifier: str, _: Json) -> Json:
    """GET /v2/payments/refunds/{id}."""
    return _found(call, "refund", identifier)


def refund(call: Call, identifier: str, body: Json) -> Json:
    """POST /v2/payments/captures/{id}/refund.

    Raises:
        Refusal: 422, more than is left, or a capture that is pending or disputed.
    """
    capture = _found(call, "capture", identifier)
    order_id = capture["supplementary_data"]["related_ids"]["order_id"]
    amount = (body or {}).get("amount") or capture["amount"]
    left = Decimal(capture["amount"]["value"]) - given_back(call, order_id)
    if capture["status"] in ("PENDING", "DECLINED", "FAILED"):
        raise errors.unprocessable("REFUND_NOT_ALLOWED")
    if disputes.of_capture(call, identifier):
        raise errors.unprocessable("CAPTURE_DISPUTED")
    if left <= 0:
        raise errors.unprocessable("CAPTURE_FULLY_REFUNDED")
    if (
        not ZERO < Decimal(amount["value"]) <= left
        or amount["currency_code"] != capture["amount"]["currency_code"]
    ):
        raise errors.unprocessable("REFUND_AMOUNT_EXCEEDED")
    course = fundings.of(orders.get(call, order_id)).refund
    id_ = new_id()
    made: Json = {
        "id": id_,
        "status": "PENDING" if course == "PENDING" else "COMPLETED",
        "amount": amount,
        "links": [
            call.link(f"/v2/payments/refunds/{id_}", "self"),
            call.link(f"/v2/payments/captures/{identifier}", "up"),
        ],
        "create_time": call.stamp,
        "update_time": call.stamp,
    }
    if body and "custom_id" in body:
        made["custom_id"] = body["custom_id"]
    call.keep("refund", made, intent=order_id)
    mark_refunded(call, capture, order_id)
    if course != "COMPLETED":
        followups.plan(call, f"refund_{course.lower()}", id_)
    if made["status"] == "COMPLETED":
        events.record(call, "PAYMENT.CAPTURE.REFUNDED", "refund", made)
    return made


def mark_refunded(call: Call, capture: Json, order_id: str) -> None:
    """Let the capture's status say how much of it was given back."""
    total = given_back(call, order_id)
    full = total == Decimal(capture["amount"]["value"])
    status = "COMPLETED" if total == 0 else "REFUNDED" if full else "PARTIALLY_REFUNDED"
    call.keep("capture", capture | {"status": status, "update_time": call.stamp}, intent=order_id)


def given_back(call: Call, order_id: str) -> Decimal:
    """What was refunded of an order's capture, or is about to be."""
    refunds = fundings.belonging(call, "refund", order_id)
    return sum((Decimal(item["amount"]["value"]) for item in refunds if item["status"] != "FAILED"), ZERO)


def _found(call: Call, kind: str, identifier: str) -> Json:
    item = call.store.get(kind, identifier)
    if item is None:
        raise errors.not_found()
    return item
