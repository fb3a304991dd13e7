"""Events: what happened, with the object as it was then. https://developer.paypal.com/api/rest/webhooks/event-names/"""

from local.paypal_simulator.calls import Call, new_id
from local.simulation import faults
from local.simulation.json import Json


def record(call: Call, kind: str, resource_type: str, item: Json) -> None:
    """Keep an event and plan its delivery, in the caller's transaction; it may be delivered late, or twice."""
    id_ = f"WH-{new_id()}-{new_id()}"
    event: Json = {
        "id": id_,
        "event_version": "1.0",
        "create_time": call.stamp,
        "resource_type": resource_type,
        "resource_version": "2.0",
        "event_type": kind,
        "summary": kind.replace(".", " ").capitalize(),
        "resource": item,
        "links": [call.link(f"/v1/notifications/webhooks-events/{id_}", "self")],
    }
    call.keep("event", event)
    for due in faults.deliveries(call.store, kind, call.now):
        call.store.run(
            "INSERT INTO deliveries (event, created, due) VALUES (:event, :now, :due)",
            event=id_,
            now=call.now,
            due=due,
        )
