"""What the auditor found: which invariant is broken, how, and whose it is; in ids, amounts and states alone."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from functions.platform import settings
from shared.database import Row


class Invariant(StrEnum):
    """The six rules that hold whatever breaks, by their names."""

    STOCK = "stock"  # sold and held fit into the capacity, and the counters are what tickets and holds say
    TICKETS = "tickets"  # a paid order has exactly its tickets, and no other order has any
    MONEY = "money"  # what is left at the provider is what the orders say
    MAIL = "mail"  # every issued order has its confirmation, or a reason why not
    LIMITS = "limits"  # nothing outlives its time
    HISTORY = "history"  # every state is the fold of its own events


@dataclass(frozen=True)
class Finding:
    """One breach: `what` in words that docs/operations.md explains, `ids` whose it is and the figures that differ."""

    invariant: Invariant
    what: str
    ids: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        ids = {
            name: value if isinstance(value, int | list) else str(value) for name, value in self.ids.items()
        }
        return {"invariant": self.invariant.value, "what": self.what, "ids": ids}


@dataclass(frozen=True)
class Scope:
    """What one run looks at.

    Attributes:
        at: the moment of the run.
        at_rest: what changed after it is not judged.
        since: what changed before it is not looked at, unless it is still open.
        is_final: nothing is under way any more, so that what is still being tried counts as a breach, too.
        paid_back: orders, by id, whose money an operator has given back by another way than their provider.
    """

    at: datetime
    at_rest: datetime
    since: datetime
    is_final: bool
    paid_back: list[UUID] = field(default_factory=list)

    @classmethod
    def of(cls, event: dict[str, Any], at: datetime) -> "Scope":
        """What the input of a run asks for: `atRestSeconds` and `windowDays`, or else the settings."""
        seconds = float(event.get("atRestSeconds", settings.AT_REST_SECONDS()))
        days = float(event.get("windowDays", settings.WINDOW_DAYS()))
        at_rest = at - timedelta(seconds=seconds)
        return cls(
            at, at_rest, at_rest - timedelta(days=days), seconds == 0, _ids(settings.PAID_BACK_ELSEWHERE())
        )

    def limit(self, longest: timedelta) -> datetime:
        """Until when something must have begun that may take so long, to be reported."""
        return self.at_rest if self.is_final else min(self.at_rest, self.at - longest)


def _ids(listed: str) -> list[UUID]:
    """Those of a list with commas; what is no id names no order, which is reported as before."""
    ids = []
    for word in listed.split(","):
        with suppress(ValueError):
            ids.append(UUID(word.strip()))
    return ids


@dataclass
class Findings:
    """The breaches of one run. Those beyond the limit are counted and not kept."""

    limit: int
    kept: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, invariant: Invariant, what: str, **ids: Any) -> None:
        """One more."""
        self.count += 1
        if len(self.kept) < self.limit:
            self.kept.append(Finding(invariant, what, ids))

    def add_rows(self, invariant: Invariant, what: str, rows: list[Row]) -> None:
        """One more for each row, whose columns (in camelCase) are the ids."""
        for row in rows:
            self.add(invariant, what, **row)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.kept)
