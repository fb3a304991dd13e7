"""What an organizer offers: ticket types, their prices and quantities."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from functions.tickets import inventory, stock_news
from functions.tickets.models import (
    MAX_TYPES_PER_EVENT,
    CreateTicketTypeRequest,
    TicketType,
    UpdateTicketTypeRequest,
)
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import ticket_types as repository
from functions.tickets.settings import MINIMUM_PRICES
from shared import paging
from shared.database import Row, Sql
from shared.errors import BadInput, Conflict, FieldError, NotFound
from shared.identity import User

DEFAULT_CURRENCY = "USD"


class EventEnded(Conflict):
    """The event is cancelled or over: nothing more is put on sale."""

    code = "EVENT_ENDED"
    message = "The event is cancelled or over"


class OneCurrency(Conflict):
    """All ticket types of an event have one currency."""

    code = "ONE_CURRENCY_PER_EVENT"

    def __init__(self, currency: str) -> None:
        message = f"This event's tickets are sold in {currency}"
        super().__init__(message, details=[FieldError("currency", message)])


class TooManyTypes(Conflict):
    """The event has as many ticket types as an event may have."""

    code = "TOO_MANY_TICKET_TYPES"
    message = f"An event has at most {MAX_TYPES_PER_EVENT} ticket types"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("eventId", self.message)])


class BelowTaken(Conflict):
    """Fewer tickets than are sold or held already."""

    code = "TICKETS_TAKEN"

    def __init__(self, taken: int) -> None:
        message = f"{taken} tickets of this type are sold or held"
        super().__init__(message, details=[FieldError("quantityAvailable", message)])


def page(sql: Sql, event_id: UUID, limit: int, cursor: str | None) -> paging.Page[TicketType]:
    """The types of an event, oldest first."""
    after = paging.decode(cursor, paging.instant, UUID)
    found = repository.page(sql, event_id, limit + 1, after)
    items, next_cursor = paging.cut(found, limit, lambda type_: (type_.created_at, type_.id))
    return paging.Page(items=items, next_cursor=next_cursor)


def create(sql: Sql, request: CreateTicketTypeRequest, at: datetime) -> TicketType:
    """Make a type of an event that is here; the first one chooses the event's currency.

    Raises:
        EventEnded, OneCurrency, TooManyTypes.
        BadInput: the price is more than nothing, and less than can be charged.
    """
    event = copies.get(sql, request.event_id)
    assert event is not None, "the route has just asked for it"
    if event.status not in ("DRAFT", "PUBLISHED"):
        raise EventEnded()
    currency = copies.set_currency(sql, event.event_id, request.currency or DEFAULT_CURRENCY)
    if request.currency not in (None, currency):
        raise OneCurrency(currency)
    _check_price(request.price, currency)
    # The event's row is locked since its currency was set: no other type comes in between.
    if repository.count(sql, event.event_id) >= MAX_TYPES_PER_EVENT:
        raise TooManyTypes()
    created = repository.insert(sql, event.event_id, request, currency, at)
    inventory.changed(sql, event.event_id)
    stock_news.tell(sql, event.event_id, at)
    return created


def update(
    sql: Sql, organizer: User, ticket_type_id: UUID, request: UpdateTicketTypeRequest, at: datetime
) -> TicketType:
    """Replace a type's terms; tickets held or sold keep the price they were held at.

    Raises:
        NotFound: unknown, or of someone else's event.
        OneCurrency, BelowTaken.
    """
    before = _locked(sql, organizer, ticket_type_id)
    if request.event_id not in (None, before["event_id"]):
        raise BadInput.field("eventId", "A ticket type stays with its event")
    if request.currency not in (None, before["currency"]):
        raise OneCurrency(before["currency"])
    _check_price(request.price, before["currency"])
    if request.quantity_available < before["quantity_sold"] + before["quantity_held"]:
        repository.reclaim(sql, ticket_type_id, at)
    updated = repository.update(sql, ticket_type_id, request, before["currency"], at)
    if updated is None:
        raise BelowTaken(_taken(sql, organizer, ticket_type_id, at))
    inventory.changed(sql, updated.event_id, [ticket_type_id])
    stock_news.tell(sql, updated.event_id, at)
    return updated


def delete(sql: Sql, organizer: User, ticket_type_id: UUID, at: datetime) -> None:
    """Take a type off sale for good; one that once had tickets is kept for them, out of sight.

    Raises:
        NotFound: unknown, or of someone else's event.
        BelowTaken: some of it is sold or held.
    """
    before = _locked(sql, organizer, ticket_type_id)
    repository.reclaim(sql, ticket_type_id, at)
    if repository.delete_unused(sql, ticket_type_id):
        copies.forget_currency(sql, before["event_id"])
    elif not repository.withdraw(sql, ticket_type_id, at):
        raise BelowTaken(_taken(sql, organizer, ticket_type_id, at))
    inventory.changed(sql, before["event_id"])
    stock_news.tell(sql, before["event_id"], at)


def _check_price(price: Decimal, currency: str) -> None:
    """Refuse what no buyer could pay: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts.

    `minimum_prices` holds an amount for every currency, then those of single currencies: `0.50,GBP:0.30`.
    """
    for_all, *others = MINIMUM_PRICES().split(",")
    least = Decimal(dict(other.split(":") for other in others).get(currency, for_all))
    if 0 < price < least:
        raise BadInput.field("price", f"Must be 0.00, or at least {least} {currency}: less cannot be charged")


def _locked(sql: Sql, organizer: User, ticket_type_id: UUID) -> Row:
    row = repository.lock_owned(sql, ticket_type_id, None if organizer.is_admin else organizer.id)
    if row is None:
        raise NotFound()
    return row


def _taken(sql: Sql, organizer: User, ticket_type_id: UUID, at: datetime) -> int:
    row = _locked(sql, organizer, ticket_type_id)
    return int(row["quantity_sold"] + row["quantity_held"]) + repository.disputed(sql, ticket_type_id, at)
