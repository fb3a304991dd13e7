"""Trouble on request: the next calls fail the way gateways and networks fail.

| mode | what happens |
|---|---|
| error | 500 with nothing done (Stripe keeps its 500s for the idempotency key) |
| timeout | the work is done, no answer ever comes |
| slow | the answer comes `seconds` (default 3) late; its idempotency key is in use meanwhile |
| kill_before | the connection drops before anything is done |
| kill_after | the work is done, then the connection drops |
| duplicate | the next event is delivered twice (webhooks are at-least-once) |
| late | the next event is delivered `seconds` late, after those that follow it |
"""

from dataclasses import dataclass
from typing import Any

from local.simulation.store import Store

REQUEST_MODES = ("error", "timeout", "slow", "kill_before", "kill_after")
EVENT_MODES = ("duplicate", "late")
MODES = (*REQUEST_MODES, *EVENT_MODES)
DUPLICATE_SECONDS = 0.5
SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Fault:
    """One stroke of a planned fault."""

    mode: str
    seconds: float


class BadFault(Exception):
    """The list of faults is not one; the message says why."""


def add(store: Store, entries: object, target: str) -> None:
    """Plan these after what is planned already; `target` is the provider's name.

    Raises:
        BadFault: not a list of {mode, times?, operation?, seconds?}.
    """
    if not isinstance(entries, list):
        raise BadFault("send a list of {mode, times}")
    for entry in [_checked(entry, target) for entry in entries]:
        store.run(
            "INSERT INTO faults (mode, times, operation, seconds) VALUES (:mode, :times, :operation, :seconds)",
            **entry,
        )


def _checked(entry: object, target: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise BadFault("each fault is an object {mode, times}")
    if unknown := set(entry) - {"target", "mode", "times", "operation", "seconds"}:
        raise BadFault(f"unknown field: {', '.join(sorted(map(str, unknown)))}")
    if entry.get("target", target) != target:
        raise BadFault(f"target must be {target} here")
    mode, times, seconds = entry.get("mode"), entry.get("times", 1), entry.get("seconds", SLOW_SECONDS)
    if mode not in MODES:
        raise BadFault(f"mode must be one of {', '.join(MODES)}")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        raise BadFault("times must be a whole number from 1, or null for every call until it is cleared")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
        raise BadFault("seconds must be between 0 and 3600")
    operation = entry.get("operation")
    if operation is not None and not isinstance(operation, str):
        raise BadFault("operation must be a word such as payment_intents.confirm")
    return {"mode": mode, "times": times, "operation": operation, "seconds": float(seconds)}


def planned(store: Store, target: str) -> list[dict[str, Any]]:
    """What is still to strike, in order."""
    return store.rows(
        "SELECT :target AS target, mode, times, operation, seconds FROM faults ORDER BY position",
        target=target,
    )


def clear(store: Store) -> None:
    """No more trouble."""
    store.run("DELETE FROM faults")


def deliveries(store: Store, event: str, now: float) -> list[float]:
    """When an event of this type is delivered: at once, unless a fault has it come late, or twice."""
    fault = take(store, event, EVENT_MODES)
    if fault is None:
        return [now]
    return [now + fault.seconds] if fault.mode == "late" else [now, now + DUPLICATE_SECONDS]


def take(store: Store, operation: str, modes: tuple[str, ...] = REQUEST_MODES) -> Fault | None:
    """The fault that strikes this operation now, counted down; None when none does."""
    for row in store.rows("SELECT * FROM faults ORDER BY position"):
        if row["mode"] in modes and row["operation"] in (None, operation):
            # NULL - 1 is NULL: such a fault stays.
            store.run(
                "UPDATE faults SET times = times - 1 WHERE position = :position", position=row["position"]
            )
            store.run("DELETE FROM faults WHERE times = 0")
            return Fault(row["mode"], row["seconds"])
    return None
