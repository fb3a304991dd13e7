"""How an event sells: a read model, fed by what tickets and payments say, and made anew from that when needed.

Every message is added to a log and folded into the model's tables in the same transaction. The fold of a message that
comes late, twice, or before one that it follows on ends in the same figures.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from functions.events import planning
from functions.events import sales_repository as repository
from functions.events.sales_models import DaySales, EventSales, TotalSales, TypeSales
from shared.consumer import Message
from shared.contracts import (
    OrderChanged,
    OrderIssued,
    OrderReleased,
    StockChanged,
    TicketCheckedIn,
    TicketsVoided,
)
from shared.database import Database, Row, Sql
from shared.identity import User

Told = OrderChanged | OrderIssued | OrderReleased | StockChanged | TicketCheckedIn | TicketsVoided
Fold = Callable[[Sql, UUID, int, int], None]
STEP = 20_000  # numbers of the log that one statement folds at most: it has seconds

FOLDS: dict[type[Told], tuple[Fold, ...]] = {
    OrderChanged: (repository.fold_orders,),
    OrderIssued: (repository.fold_issued,),
    OrderReleased: (repository.fold_released,),
    StockChanged: (repository.fold_stock, repository.fold_stock_version),
    TicketCheckedIn: (repository.fold_used,),
    TicketsVoided: (repository.fold_voided,),
}
PERSONAL = {"user_id", "order_number"}  # whose order it is, no figure asks


def take_over(sql: Sql, message: Message[Any]) -> None:
    """Add a message to the log, and to the figures of its event."""
    told: Told = message.data
    repository.lock(sql, told.event_id)
    if isinstance(told, StockChanged) and repository.is_gone(sql, told.event_id):
        return  # a draft whose organizer has been erased; its types have names
    number = repository.append(
        sql,
        message.id,
        told.event_id,
        told.TYPE,
        subject=message.subject,
        version=message.version,
        at=message.time,
        data=told.model_dump(mode="json", by_alias=True, exclude=PERSONAL),
    )
    if number is not None:
        for fold in (*FOLDS[type(told)], repository.fold_time):
            fold(sql, told.event_id, number, number)


def rebuild(database: Database, event_id: UUID | None) -> int:
    """Drop the figures of an event (None: of every one) and fold the log again; how many events.

    An event at a time, each in a transaction of its own: its messages wait for it, those of others do not.
    """
    if event_id is not None:
        _rebuild_one(database, event_id)
        return 1
    handled, last = 0, None
    while (found := _next(database, last)) is not None:
        _rebuild_one(database, found)
        handled, last = handled + 1, found
    return handled


def fold_all(sql: Sql, event_id: UUID) -> None:
    """Fold an event's whole log, a part at a time; the caller has the event's lock."""
    first, last = repository.span(sql, event_id)
    for start in range(first, last + 1, STEP):
        for folds in (*FOLDS.values(), (repository.fold_time,)):
            for fold in folds:
                fold(sql, event_id, start, min(last, start + STEP - 1))


def of_event(sql: Sql, user: User, event_id: UUID) -> EventSales:
    """The figures of an event of the user's (an admin's are all); zeros as long as nothing was told.

    Raises:
        NotFound: there is no such event, or it is somebody else's.
    """
    event = planning.own(sql, user, event_id)
    found = repository.figures(sql, event_id, event.time_zone)
    types = [_type(row) for row in found["types"] if _is_shown(row)]
    return EventSales(
        event_id=event_id,
        as_of=found["as_of"] or event.created_at,
        stock_as_of=found["stock_as_of"],
        time_zone=event.time_zone,
        currency=types[0].currency if types else None,
        ticket_types=types,
        totals=_totals(found),
        days=[DaySales.model_validate(day) for day in found["days"]],
        checked_in=found["checked_in"],
    )


def _rebuild_one(database: Database, event_id: UUID) -> None:
    with database.transaction() as sql:
        repository.lock(sql, event_id)
        repository.forget(sql, event_id)
        fold_all(sql, event_id)


def _next(database: Database, after: UUID | None) -> UUID | None:
    with database.reading() as sql:
        return repository.known(sql, after)


def _is_shown(row: Row) -> bool:
    """Not what is deleted and never was sold; nor what was sold of a type that nobody has told us of yet."""
    has_figures = row["sold"] or row["voided"] or Decimal(row["revenue"])
    return row["name"] is not None and bool(has_figures or not row["deleted"])


def _type(row: Row) -> TypeSales:
    return TypeSales.model_validate(row | {"held": _held(row), "available": _available(row)})


def _totals(found: Row) -> TotalSales:
    """Of all types, those that are not shown, too."""
    rows = found["types"]
    of_types = sum((Decimal(row["refunds"]) for row in rows), Decimal(0))
    return TotalSales(
        sold=sum(row["sold"] for row in rows),
        voided=sum(row["voided"] for row in rows),
        held=sum(map(_held, rows)),
        available=sum(map(_available, rows)),
        revenue=sum((Decimal(row["revenue"]) for row in rows), Decimal(0)),
        refunds=found["refunds"],
        refunds_without_tickets=found["refunds"] - of_types,
    )


def _held(row: Row) -> int:
    return 0 if row["deleted"] else row["held"] or 0


def _available(row: Row) -> int:
    return 0 if row["deleted"] else max(0, row["free"] or 0)
