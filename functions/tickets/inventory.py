"""What is left of an event's tickets, kept in Redis for the crowd that asks.

Keys are the design document's: `inventory:{eventId}:{ticketTypeId}` holds a type, the field `tickets` of the hash
`event:{eventId}` which types there are (the field `details` beside it is the events service's). Reserving never looks
here.
"""

import json
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import ValidationError

from functions.tickets.cache import cache
from functions.tickets.models import Availability, SaleStatus, TypeOnSale
from functions.tickets.settings import (
    AVAILABILITY_TRUST_SECONDS,
    EVENT_CACHE_SECONDS,
    INVENTORY_CACHE_SECONDS,
)
from shared.database import Sql
from shared.wire import Answer, Instant, Money

FIELD = "tickets"


class KeptEvent(Answer):
    """What an event sells, as of an instant."""

    as_of: Instant
    ends_at: Instant
    is_on_sale: bool
    types: list[UUID]


class KeptType(Answer):
    """What is left of a ticket type, as of an instant."""

    as_of: Instant
    id: UUID
    name: str
    description: str | None
    price: Money
    currency: str
    venue_zone: str | None
    per_person_limit: int
    sale_start_date: Instant | None
    sale_end_date: Instant | None
    available: int


class Inventory:
    """An event and its types, read together."""

    def __init__(self, event_id: UUID, event: KeptEvent, types: list[KeptType]) -> None:
        self.event_id, self.event, self.types = event_id, event, types
        self.as_of = min([event.as_of, *(type_.as_of for type_ in types)])

    def is_recent(self, at: datetime) -> bool:
        """Whether it may be shown as it is; what claims to be of another second, be it a later one, may not."""
        return abs(at - self.as_of) <= timedelta(seconds=AVAILABILITY_TRUST_SECONDS())

    def answer(self, at: datetime) -> Availability:
        """What a buyer sees of it at this instant; sales begin and end by the clock."""
        return Availability(
            event_id=self.event_id,
            as_of=self.as_of,
            ticket_types=[
                TypeOnSale(
                    **type_.model_dump(include=set(TypeOnSale.model_fields) - {"available"}),
                    available=max(0, type_.available),
                    status=self._status(type_, at),
                )
                for type_ in self.types
            ],
        )

    def _status(self, type_: KeptType, at: datetime) -> SaleStatus:
        if not self.event.is_on_sale or self.event.ends_at <= at:
            return "ENDED"
        if type_.sale_end_date is not None and type_.sale_end_date <= at:
            return "ENDED"
        if type_.sale_start_date is not None and type_.sale_start_date > at:
            return "NOT_STARTED"
        return "ON_SALE" if type_.available > 0 else "SOLD_OUT"


def changed(sql: Sql, event_id: UUID, ticket_type_ids: list[UUID] | None = None) -> None:
    """After the commit, forget what is kept of these types; None: of the event and which types it has.

    Best effort: whoever is not told shows the old figure for a second.
    """
    if ticket_type_ids is None:
        sql.after_commit(lambda: cache.drop_field(_event_key(event_id), FIELD))
    else:
        keys = [_type_key(event_id, id) for id in ticket_type_ids]
        sql.after_commit(lambda: cache.drop(*keys))


def kept(event_id: UUID) -> Inventory | None:
    """What Redis has, if it has all of it."""
    try:
        found = cache.field(_event_key(event_id), FIELD)
        if found is None:
            return None
        event = KeptEvent.model_validate_json(found)
        types = [cache.get(_type_key(event_id, id)) for id in event.types]
        if None in types:
            return None
        return Inventory(event_id, event, [KeptType.model_validate(type_) for type_ in types])
    except ValidationError:  # kept by another version of this code
        return None


def keep(inventory: Inventory) -> None:
    """Put what was read from PostgreSQL into Redis."""
    event_id = inventory.event_id
    for type_ in inventory.types:
        value = type_.model_dump(mode="json")
        cache.set(_type_key(event_id, type_.id), value, seconds=INVENTORY_CACHE_SECONDS())
    event = json.dumps(inventory.event.model_dump(mode="json"))
    cache.set_field(_event_key(event_id), FIELD, event, seconds=EVENT_CACHE_SECONDS())


def _event_key(event_id: UUID) -> str:
    return f"event:{event_id}"


def _type_key(event_id: UUID, ticket_type_id: UUID) -> str:
    return f"inventory:{event_id}:{ticket_type_id}"
