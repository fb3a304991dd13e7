"""What PayPal does by itself a moment later: disputes, and refunds that settle or fail at the bank."""

from local.paypal_simulator import events
from local.paypal_simulator.calls import Call, new_id
from local.simulation.json import Json
from local.simulation.store import Store

DELAY_SECONDS = 1.0


def plan(call: Call, action: str, identifier: str) -> None:
    """Let `dispute` (a capture), `refund_pending` or `refund_failed` (a refund) come to its end soon."""
    call.store.run(
        "INSERT INTO followups (due, action, object) VALUES (:due, :action, :object)",
        due=call.now + DELAY_SECONDS,
        action=action,
        object=identifier,
    )


def next_due(store: Store) -> float | None:
    """When the earliest is due, in seconds since the epoch."""
    row = store.row("SELECT min(due) AS due FROM followups")
    return row["due"] if row else None


def run_due(store: Store, base: str) -> None:
    """Carry out all that is due."""
    with store.transaction():
        call = Call(store, base)
        for row in store.rows("SELECT * FROM followups WHERE due <= :now ORDER BY due, id", now=call.now):
            store.run("DELETE FROM followups WHERE id = :id", id=row["id"])
            if row["action"] == "dispute":
                _dispute(call, row["object"])
            else:
                _settle_refund(call, row["object"], is_paid=row["action"] == "refund_pending")


def _dispute(call: Call, capture_id: str) -> None:
    """https://developer.paypal.com/docs/api/customer-disputes/v1/#disputes_get"""
    capture = call.store.get("capture", capture_id)
    if capture is None or capture["status"] != "COMPLETED":
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
        "dispute_life_cycle_stage": "CHARGEBACK",
    }
    dispute["dispute_id"] = dispute["id"]
    call.keep("dispute", dispute, intent=capture_id)
    told = {name: value for name, value in dispute.items() if name != "id"}
    events.record(call, "CUSTOMER.DISPUTE.CREATED", "dispute", told)


def _settle_refund(call: Call, refund_id: str, *, is_paid: bool) -> None:
    from local.paypal_simulator import payments

    refund = call.store.get("refund", refund_id)
    if refund is None:
        return
    refund |= {"status": "COMPLETED" if is_paid else "FAILED", "update_time": call.stamp}
    capture = call.store.get("capture", refund["links"][1]["href"].rpartition("/")[2])
    assert capture is not None
    order_id = capture["supplementary_data"]["related_ids"]["order_id"]
    call.keep("refund", refund, intent=order_id)
    payments.mark_refunded(call, capture, order_id)
    kind = "PAYMENT.CAPTURE.REFUNDED" if is_paid else "PAYMENT.REFUND.FAILED"
    events.record(call, kind, "refund", refund)
