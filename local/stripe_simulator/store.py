"""What the simulated Stripe remembers: its objects name their own kind, id and time."""

from local.simulation import store
from local.simulation.json import Json


class Store(store.Store):
    """The store of `local.simulation`, with Stripe's objects in it."""

    def put(self, item: Json, *, intent: str | None = None, token: str | None = None) -> None:
        """Add an object, or replace the body of one with the same id."""
        self.keep(
            item["object"],
            item["id"],
            item,
            item["created"],
            intent=intent,
            type=item.get("type"),
            token=token,
        )

    def token_of(self, payment_method: str) -> str | None:
        """The test token from which a payment method was made."""
        row = self.row("SELECT token FROM objects WHERE id = :id", id=payment_method)
        return row["token"] if row else None
