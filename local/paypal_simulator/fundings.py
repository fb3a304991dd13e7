"""What a buyer pays with at the simulated PayPal, and what becomes of money taken that way."""

import json
from dataclasses import dataclass

from local.paypal_simulator import events, followups
from local.paypal_simulator.calls import Call, new_id
from local.simulation.json import Json

PAYER: Json = {
    "payer_id": "SIMULATEDPAYR",
    "name": {"given_name": "John", "surname": "Doe"},
    "email_address": "buyer@example.com",
}


@dataclass(frozen=True)
class Funding:
    """A way to pay.

    Attributes:
        label: what the buyer reads.
        refusal: why a capture is refused.
        pending: why the capture is pending until somebody decides (`/_control/orders/{id}/review`).
        is_immediate: the money is here at once; what is not cannot be chosen where we ask for immediate payment.
        disputes: the buyer reclaims the money a moment later, or (`stage`) only asks about it.
        refund: how refunds go: `COMPLETED` at once, `PENDING` and later completed, or `FAILED` afterwards.
    """

    label: str
    refusal: str | None = None
    pending: str | None = None
    is_immediate: bool = True
    disputes: bool = False
    stage: str = "CHARGEBACK"
    refund: str = "COMPLETED"


FUNDINGS = {
    "balance": Funding("PayPal balance"),
    "declined": Funding("A card that is declined", refusal="INSTRUMENT_DECLINED"),
    "refused": Funding("An account that may not pay", refusal="TRANSACTION_REFUSED"),
    "review": Funding("A payment that PayPal reviews", pending="PENDING_REVIEW"),
    "echeck": Funding("A bank account, by eCheck", pending="ECHECK", is_immediate=False),
    "dispute": Funding("A payment that is disputed", disputes=True),
    "inquiry": Funding("A payment that is asked about", disputes=True, stage="INQUIRY"),
    "refund_pending": Funding("A card that takes refunds slowly", refund="PENDING"),
    "refund_fails": Funding("A card that takes no refunds", refund="FAILED"),
}


def offered(order: Json) -> dict[str, Funding]:
    """What the order's buyer may choose: https://developer.paypal.com/docs/api/orders/v2/#definition-payment_method."""
    preferred = order["_context"].get("payment_method", {}).get("payee_preferred")
    is_urgent = preferred == "IMMEDIATE_PAYMENT_REQUIRED"
    return {name: item for name, item in FUNDINGS.items() if item.is_immediate or not is_urgent}


def of(order: Json) -> Funding:
    """What the order's buyer chose."""
    return FUNDINGS[order["_funding"]]


def take(call: Call, order: Json, funding: Funding) -> None:
    """Capture: https://developer.paypal.com/docs/api/payments/v2/#captures_get."""
    unit = order["purchase_units"][0]
    id_ = new_id()
    path = f"/v2/payments/captures/{id_}"
    capture: Json = {
        "id": id_,
        "status": "PENDING" if funding.pending else "COMPLETED",
        "amount": {name: unit["amount"][name] for name in ("currency_code", "value")},
        "final_capture": True,
        "seller_protection": {"status": "NOT_ELIGIBLE"},
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        "links": [
            call.link(path, "self"),
            call.link(f"{path}/refund", "refund", "POST"),
            call.link(f"/v2/checkout/orders/{order['id']}", "up"),
        ],
        "create_time": call.stamp,
        "update_time": call.stamp,
    }
    capture |= {name: unit[name] for name in ("custom_id", "invoice_id") if name in unit}
    if funding.pending:
        capture["status_details"] = {"reason": funding.pending}
    call.keep("capture", capture, intent=order["id"])
    events.record(call, f"PAYMENT.CAPTURE.{capture['status']}", "capture", capture)
    if funding.disputes:
        followups.plan(call, "inquiry" if funding.stage == "INQUIRY" else "dispute", id_)


def review(call: Call, order_id: str, *, is_accepted: bool) -> Json | None:
    """PayPal decides on a capture under review; None if there is none."""
    capture = next(
        (item for item in belonging(call, "capture", order_id) if item["status"] == "PENDING"), None
    )
    if capture is not None:
        capture |= {"status": "COMPLETED" if is_accepted else "DECLINED", "update_time": call.stamp}
        capture.pop("status_details", None)
        call.keep("capture", capture, intent=order_id)
        kind = "PAYMENT.CAPTURE.COMPLETED" if is_accepted else "PAYMENT.CAPTURE.DENIED"
        events.record(call, kind, "capture", capture)
    return capture


def belonging(call: Call, kind: str, order_id: str) -> list[Json]:
    """The captures, or the refunds, of an order, oldest first."""
    rows = call.store.rows(
        "SELECT body FROM objects WHERE object = :kind AND intent = :order_id ORDER BY sequence",
        kind=kind,
        order_id=order_id,
    )
    return [json.loads(row["body"]) for row in rows]
