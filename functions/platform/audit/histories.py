"""Invariant 6: every state is the fold of its own events."""

from collections.abc import Callable
from typing import Any

from functions.platform.audit.findings import Findings, Invariant
from functions.platform.audit.folds import CannotBe, State
from shared.database import Row


def judge(
    findings: Findings,
    what: str,
    ids: dict[str, Any],
    fold: Callable[[list[Row]], State],
    events: list[Row],
    row: Row,
) -> None:
    """Report a row that is not the fold of its events, naming the columns that differ.

    Row and events are of one snapshot, so that they are judged however recently they changed.
    """
    try:
        folded = fold(events)
    except CannotBe as why:
        findings.add(Invariant.HISTORY, f"{what} has a history that cannot be", **ids, why=str(why))
        return
    differs = sorted(name for name, value in folded.items() if row[name] != value)
    if differs:
        findings.add(Invariant.HISTORY, f"{what} is not the fold of its events", **ids, differs=differs)
