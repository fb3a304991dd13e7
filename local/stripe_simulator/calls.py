"""What every operation is given: the store, the time, and the request it serves."""

import time
from dataclasses import dataclass, field

from local.stripe_simulator.ids import Json
from local.stripe_simulator.store import Store


@dataclass
class Call:
    """One request to the API, or one step the gateway takes by itself.

    Attributes:
        request_id: `req_…`; None for the gateway's own steps, as in Stripe's events.
        idempotency_key: the caller's key, shown in the events this call causes.
        now: seconds since the epoch, one instant for the whole call.
    """

    store: Store
    request_id: str | None = None
    idempotency_key: str | None = None
    now: float = field(default_factory=time.time)

    @property
    def created(self) -> int:
        """The instant as Stripe's objects show it: whole seconds."""
        return int(self.now)

    def snapshot(self, item: Json) -> Json:
        """The object's present state, read again from the store."""
        return self.store.get(item["object"], item["id"]) or item
