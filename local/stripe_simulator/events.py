"""Events: what happened, with the object as it was then. https://docs.stripe.com/api/events/object"""

from local.simulation import faults
from local.stripe_simulator import errors
from local.stripe_simulator.calls import Call
from local.stripe_simulator.ids import Json, new_id

API_VERSION = "2026-10-28.endive"


def record(call: Call, kind: str, item: Json) -> None:
    """Keep an event and plan its delivery, in the caller's transaction.

    Stripe delivers at least once and in no promised order, hence the possible second delivery:
    https://docs.stripe.com/webhooks#handle-duplicate-events
    """
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": call.created,
        "data": {"object": item},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": call.request_id, "idempotency_key": call.idempotency_key},
        "type": kind,
    }
    call.store.put(event)
    for due in faults.deliveries(call.store, kind, call.now):
        call.store.run(
            "INSERT INTO deliveries (event, created, due) VALUES (:event, :now, :due)",
            event=event["id"],
            now=call.now,
            due=due,
        )


def retrieve(call: Call, identifier: str) -> Json:
    """GET /v1/events/{id}.

    Raises:
        Refusal: 404, no such event.
    """
    event = call.store.get("event", identifier)
    if event is None:
        raise errors.resource_missing("event", identifier, "id")
    return event
