"""What a buyer is told of a type, by the clock and by what is left."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from functions.tickets import inventory
from functions.tickets.inventory import Inventory, KeptEvent, KeptType

NOW = datetime(2027, 5, 31, 18, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def status(
    *,
    available: int = 1,
    starts: datetime | None = None,
    ends: datetime | None = None,
    event_at: datetime = NOW + SECOND,
    is_on_sale: bool = True,
) -> str:
    event = KeptEvent(as_of=NOW, ends_at=event_at, is_on_sale=is_on_sale, types=[UUID(int=1)])
    type_ = KeptType(
        as_of=NOW,
        id=UUID(int=1),
        name="Stalls",
        description=None,
        price=Decimal(1),
        currency="EUR",
        venue_zone=None,
        per_person_limit=1,
        sale_start_date=starts,
        sale_end_date=ends,
        available=available,
    )
    return Inventory(UUID(int=2), event, [type_]).answer(NOW).ticket_types[0].status


@pytest.mark.parametrize(
    ("terms", "shown"),
    [
        ({}, "ON_SALE"),
        ({"available": 0}, "SOLD_OUT"),
        ({"starts": NOW}, "ON_SALE"),
        ({"starts": NOW + SECOND}, "NOT_STARTED"),
        ({"starts": NOW + SECOND, "available": 0}, "NOT_STARTED"),
        ({"ends": NOW}, "ENDED"),
        ({"ends": NOW + SECOND}, "ON_SALE"),
        ({"ends": NOW, "available": 0}, "ENDED"),
        ({"event_at": NOW}, "ENDED"),
        ({"is_on_sale": False}, "ENDED"),
    ],
)
def test_sales_begin_and_end_by_the_clock(terms: dict[str, Any], shown: str) -> None:
    assert status(**terms) == shown


def test_the_answer_is_as_old_as_its_oldest_part() -> None:
    event = KeptEvent(as_of=NOW, ends_at=NOW, is_on_sale=True, types=[])
    assert Inventory(UUID(int=2), event, []).as_of == NOW


@pytest.mark.parametrize(
    ("read_at", "recent"), [(NOW, True), (NOW - SECOND, True), (NOW + 2 * SECOND, False)]
)
def test_what_was_read_in_the_future_is_not_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, read_at: datetime, recent: bool
) -> None:
    monkeypatch.setattr(inventory, "AVAILABILITY_TRUST_SECONDS", lambda: 1)
    event = KeptEvent(as_of=read_at, ends_at=NOW, is_on_sale=True, types=[])
    assert Inventory(UUID(int=2), event, []).is_recent(NOW) is recent
