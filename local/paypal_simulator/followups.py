"""What PayPal does by itself a moment later: disputes, and refunds that settle or fail at the bank."""

from local.paypal_simulator import disputes, events
from local.paypal_simulator.calls import Call
from local.simulation.store import Store

DELAY_SECONDS = 1.0
_STAGES = {"dispute": disputes.CHARGEBACK, "inquiry": disputes.INQUIRY}


def plan(call: Call, action: str, identifier: str) -> None:
    """Let `dispute` or `inquiry` (a capture), `refund_pending` or `refund_failed` (a refund) come to its end soon."""
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
            if row["action"] in _STAGES:
                disputes.open_for(call, row["object"], _STAGES[row["action"]])
            else:
                _settle_refund(call, row["object"], is_paid=row["action"] == "refund_pending")


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
