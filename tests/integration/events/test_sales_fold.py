"""The sales figures are a fold: the order of messages, and how often they come, make no difference to them."""

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.events import planning, sales
from functions.events.jobs import rebuild_sales
from tests.databases import TestDatabase
from tests.programme import Programme
from tests.sales_told import START, Told
from tests.support import context

PRICES = ("49.50", "20.00")
OUTCOMES = (
    "created",
    "paid",
    "issued",
    "part refunded",
    "refunded",
    "released",
    "issued anew",
    "disputed",
    "dispute won",
    "dispute won, then called off",
    "part refunded, dispute won",
)
TABLES = ("sales_events", "sales_types", "sales_orders", "sales_tickets", "sales_releases")
MIGRATIONS = Path(planning.__file__).parent / "migrations"
VOID_FOR_GOOD = """
    UPDATE sales_tickets k SET is_void = EXISTS (
               SELECT FROM sales_messages m
                WHERE m.type = 'tickets.tickets_voided.v1' AND m.data->'ticketIds' ? k.ticket_id::text),
           issued_version = (
               SELECT min(m.version) FROM sales_messages m
                WHERE m.type = 'tickets.order_issued.v1' AND m.data::text LIKE '%%' || k.ticket_id || '%%')
"""


@dataclass(frozen=True)
class Story:
    """An order, as it went: so many tickets of two types, placed so many hours after the start."""

    quantities: tuple[int, int]
    outcome: str
    hours: int
    is_used: bool

    @property
    def total(self) -> Decimal:
        return sum(
            (Decimal(p) * quantity for p, quantity in zip(PRICES, self.quantities, strict=True)), Decimal(0)
        )


STORIES = st.builds(
    Story,
    st.tuples(st.integers(1, 2), st.integers(0, 2)),
    st.sampled_from(OUTCOMES),
    st.integers(0, 60),
    st.booleans(),
)


class Sum:
    """What the figures should be, counted story by story without any message."""

    def __init__(self) -> None:
        self.sold, self.voided, self.used = 0, 0, 0
        self.revenue, self.refunds, self.days = Decimal(0), Decimal(0), dict[str, int]()

    def add(self, story: Story) -> None:
        tickets = sum(story.quantities)
        if story.outcome == "created":
            return
        self.revenue += story.total
        if story.outcome == "paid":
            return
        issued = tickets * (2 if story.outcome == "issued anew" else 1)
        part = story.outcome.startswith("part refunded")
        void = 1 if part else {"issued": 0, "dispute won": 0}.get(story.outcome, tickets)
        self.sold, self.voided = self.sold + issued - void, self.voided + void
        self.refunds += Decimal(PRICES[0]) if part else story.total * (story.outcome == "refunded")
        self.used += story.is_used
        day = (START + timedelta(hours=story.hours + 1)).date().isoformat()  # Vienna, in winter
        self.days[day] = self.days.get(day, 0) + issued


def tell(told: Told, types: tuple[UUID, UUID], story: Story) -> None:
    """Every message that the order's story brings about, in the order in which it happened."""
    order, placed = uuid4(), START + timedelta(hours=story.hours)
    lines = {id_: (n, p) for id_, n, p in zip(types, story.quantities, PRICES, strict=True) if n}
    tickets = [(uuid4(), id_) for id_, (n, _) in lines.items() for _ in range(n)]
    reach = OUTCOMES.index(story.outcome)
    told.order(order, 1, "PENDING", lines, captured=False, placed_at=placed)
    if reach >= OUTCOMES.index("paid"):
        told.order(order, 2, "PENDING", lines, placed_at=placed)
    if reach >= OUTCOMES.index("issued"):
        told.issued(order, 2, *tickets)
        told.order(order, 3, "PAID", lines, placed_at=placed)
        if story.is_used:
            told.used(order, tickets[-1][0])
    if story.outcome.startswith("part refunded"):
        told.voided(order, 3, tickets[0][0])
        part = ((PRICES[0], {types[0]: PRICES[0]}),)
        told.order(order, 4, "PARTIALLY_REFUNDED", lines, refunds=part, placed_at=placed)
    if story.outcome == "refunded":
        told.voided(order, 3, *[id_ for id_, _ in tickets])
        shares = {id_: str(Decimal(p) * n) for id_, (n, p) in lines.items()}
        told.order(order, 4, "REFUNDED", lines, refunds=((str(story.total), shares),), placed_at=placed)
    if story.outcome in ("released", "issued anew"):
        told.released(order, 3)
    if story.outcome == "issued anew":
        told.issued(order, 4, *[(uuid4(), id_) for _, id_ in tickets])
    if "dispute" in story.outcome:
        tell_dispute(told, order, story, tickets)


def tell_dispute(told: Told, order: UUID, story: Story, tickets: list[tuple[UUID, UUID]]) -> None:
    """The bank takes the money of what is valid still, and gives it back, or not."""
    valid = tickets[1:] if story.outcome.startswith("part refunded") else tickets
    if not valid:
        return
    told.voided(order, 4, *[id_ for id_, _ in valid])
    if "won" in story.outcome:
        for _ in range(2):  # the second time, the question was asked again
            told.issued(order, 5, *valid)
    if story.outcome.endswith("called off"):
        told.voided(order, 6, *[id_ for id_, _ in valid])


def rows(db: TestDatabase) -> dict[str, list[str]]:
    """All that is folded."""
    return {table: sorted(str(row) for row in db.all(f"SELECT * FROM {table}")) for table in TABLES}


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild goes through the log in parts."""
    monkeypatch.setattr(sales, "STEP", 7)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories=st.lists(STORIES, min_size=1, max_size=5), seed=st.integers(0, 2**32))
def test_any_order_and_any_number_of_messages_give_the_same_figures_and_so_does_a_rebuild(
    programme: Programme, stories: list[Story], seed: int
) -> None:
    event = programme.draft(timeZone="Europe/Vienna")
    types, told, expected, chance = (
        (uuid4(), uuid4()),
        Told(programme.aws, event["id"]),
        Sum(),
        random.Random(seed),
    )
    for version in (1, 2):
        told.stock(version, *[(i, "A", p, 100, version, 5) for i, p in zip(types, PRICES, strict=True)])
    for story in stories:
        tell(told, types, story)
        expected.add(story)
    again = chance.sample(told.envelopes, k=len(told.envelopes) // 2)
    told.envelopes += again + [envelope | {"id": str(uuid4())} for envelope in again]
    chance.shuffle(told.envelopes)

    told.deliver()

    check(programme.ask("event_sales", id=event["id"], user=programme.organizer).body, expected)
    live = rows(programme.db)
    rebuild_sales.handler({}, context())
    assert rows(programme.db) == live


def test_what_was_folded_when_void_was_for_good_is_migrated_to_what_a_rebuild_makes(
    programme: Programme,
) -> None:
    types, told = (uuid4(), uuid4()), Told(programme.aws, programme.draft()["id"])
    for outcome in OUTCOMES:
        tell(told, types, Story((2, 1), outcome, hours=0, is_used=True))
    told.deliver()
    folded = rows(programme.db)
    programme.db.run("ALTER TABLE sales_tickets DROP COLUMN voided_version")
    programme.db.run(VOID_FOR_GOOD)

    for file in ("0005_reinstated.sql", "0006_reinstated_before.sql"):
        programme.db.run((MIGRATIONS / file).read_text())

    assert rows(programme.db) == folded


def check(shown: dict[str, Any], expected: Sum) -> None:
    """The totals, and that types and days add up to them."""
    totals = shown["totals"]
    assert (totals["sold"], totals["voided"]) == (expected.sold, expected.voided)
    assert (Decimal(totals["revenue"]), Decimal(totals["refunds"])) == (expected.revenue, expected.refunds)
    assert (shown["checkedIn"], totals["refundsWithoutTickets"]) == (expected.used, "0.00")
    assert (totals["held"], totals["available"]) == (10, 2 * (100 - 2 - 5))
    assert {day["date"]: day["tickets"] for day in shown["days"] if day["tickets"]} == expected.days
    for parts in (shown["ticketTypes"], shown["days"]):
        assert sum(Decimal(part["revenue"]) for part in parts) == expected.revenue
        assert sum(Decimal(part["refunds"]) for part in parts) == expected.refunds
    assert sum(type_["sold"] for type_ in shown["ticketTypes"]) == expected.sold
