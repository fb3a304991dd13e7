"""What every operation is given: the store, the time, and where the simulated PayPal is."""

import secrets
import string
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.simulation.json import Json
from local.simulation.store import Store

_LETTERS = string.ascii_uppercase + string.digits


def new_id(length: int = 17) -> str:
    """An id such as `5O190127TN364715T`."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def stamp(at: float | None = None) -> str:
    """An instant as PayPal writes it."""
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Call:
    """One request to the API, or one step that PayPal, or a buyer there, takes.

    Attributes:
        base: the address of the API, which links begin with.
        now: seconds since the epoch, one instant for the whole call.
    """

    store: Store
    base: str
    now: float = field(default_factory=time.time)

    @property
    def stamp(self) -> str:
        """The instant as PayPal's objects show it."""
        return stamp(self.now)

    def keep(self, kind: str, item: Json, *, intent: str | None = None) -> None:
        """Add an object, or replace it."""
        self.store.keep(kind, item["id"], item, int(self.now), intent=intent, type=item.get("event_type"))

    def link(self, path: str, relation: str, method: str = "GET") -> Json:
        """A HATEOAS link: https://developer.paypal.com/api/rest/responses/#link-hateoaslinks."""
        return {"href": f"{self.base}{path}", "rel": relation, "method": method}
