"""Faults that a developer orders for the next calls of a function: what the resilience tests and the console set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODES = frozenset({"error", "timeout", "slow", "kill_before", "kill_after", "duplicate"})
SLOW_SECONDS = 3.0


class FaultError(ValueError):
    """A fault that cannot be ordered; the message says what is wrong."""


class OrderedFault(Exception):
    """A failure that was ordered and now happens."""


@dataclass
class Fault:
    """`target` is the end of a function's name (or a provider); `times` None means until it is cleared.

    Modes: `error` fails without running, `timeout` never returns, `slow` runs after `SLOW_SECONDS`, `kill_before`
    kills the process before the code runs, `kill_after` when it has run and its answer is lost, `duplicate` runs twice.
    """

    target: str
    mode: str
    times: int | None = 1

    @classmethod
    def parse(cls, value: object) -> Fault:
        """Read one fault from JSON. Raises FaultError."""
        if not isinstance(value, Mapping) or not isinstance(value.get("target"), str) or not value["target"]:
            raise FaultError("a fault needs a target: the name of a function or of a provider")
        if value.get("mode") not in MODES:
            raise FaultError(f"mode must be one of {', '.join(sorted(MODES))}")
        times = value.get("times", 1)
        if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
            raise FaultError("times must be a positive number, or null for every call")
        return cls(value["target"], value["mode"], times)

    def json(self) -> dict[str, Any]:
        """The fault as it is shown to a developer; `times` is what is left of it."""
        return {"target": self.target, "mode": self.mode, "times": self.times}


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, faults: Sequence[Fault]) -> None:
        """Add faults; a new one replaces those of the same target."""
        targets = {fault.target for fault in faults}
        self._faults = [fault for fault in self._faults if fault.target not in targets] + list(faults)

    def clear(self) -> None:
        """Forget them all."""
        self._faults = []

    def pending(self) -> list[Fault]:
        """Those still to happen."""
        return list(self._faults)

    def take(self, name: str) -> str | None:
        """The mode that applies to this call of `name`, counted down; None if there is none."""
        for fault in self._faults:
            if name.endswith(fault.target):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault.mode
        return None
