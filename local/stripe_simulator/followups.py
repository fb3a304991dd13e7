"""What the gateway does by itself a moment later: disputes, and refunds that settle or fail at the bank.

Planned in the transaction of the request that causes it and kept in the store, so that a restart forgets none.
"""

from local.stripe_simulator import disputes, events
from local.stripe_simulator.calls import Call
from local.stripe_simulator.store import Store

# Minutes to days at Stripe; on a laptop somebody is waiting.
DELAY_SECONDS = 1.0


def plan(call: Call, action: str, identifier: str) -> None:
    """Let `dispute` (a charge), `refund_succeeded` or `refund_failed` (a refund) happen to an object soon."""
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


def run_due(store: Store) -> None:
    """Carry out all that is due."""
    with store.transaction():
        call = Call(store)
        for row in store.rows("SELECT * FROM followups WHERE due <= :now ORDER BY due, id", now=call.now):
            store.run("DELETE FROM followups WHERE id = :id", id=row["id"])
            if row["action"] == "dispute":
                disputes.open_for(call, row["object"])
            else:
                _settle_refund(call, row["object"], row["action"].removeprefix("refund_"))


def _settle_refund(call: Call, refund_id: str, status: str) -> None:
    """A pending refund arrives, or one thought done comes back: https://docs.stripe.com/testing#refunds."""
    refund = call.store.get("refund", refund_id)
    if refund is None or refund["status"] == status:
        return
    refund["status"] = status
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
        charge = call.store.get("charge", refund["charge"])
        if charge:
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            call.store.put(charge)
    call.store.put(refund)
    events.record(call, "refund.updated", refund)
