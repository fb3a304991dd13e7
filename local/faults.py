"""Faults that a developer orders for the next calls of a function: what the resilience tests and the console set."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.fault_points import POINT_MODES, POINTS, SLOW_SECONDS

__all__ = ["SLOW_SECONDS", "AnswerLost", "Fault", "FaultError", "Faults", "OrderedFault", "Stroke"]

CALL_MODES = frozenset({"error", "timeout", "slow", "kill_before", "kill_after", "duplicate"})
FUNCTION_MODES = frozenset({"twice", "watch", *POINT_MODES})
"""What can be ordered of functions only."""
_TIMED = frozenset({"slow", "timeout", "hang"})
_REMEMBERED = 10_000
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_IDS = 100


class FaultError(ValueError):
    """A fault that cannot be ordered; the message says what is wrong."""


class OrderedFault(Exception):
    """A failure that was ordered and now happens."""


class AnswerLost(OrderedFault):
    """What was asked for is done, and whoever asked hears nothing of it: the connection ends without an answer."""


@dataclass
class Fault:
    """`target` is the end of a function's name (or a provider); `times` None means until it is cleared.

    Modes without a `point`: `error` fails without running, `timeout` never returns, `slow` runs after `SLOW_SECONDS`,
    `kill_before` kills the process before the code runs, `kill_after` when it has run and its answer is lost,
    `duplicate` runs twice, `twice` runs twice at once, `watch` does no harm and tells which points were reached.

    At a point (see `local.fault_points`), the `nth` time that a call reaches it: `kill` ends the process without
    warning, `error` fails there, `slow` waits, `hang` stays until the function's time-out. A call that does not reach
    the point leaves the fault to the next one.

    `seconds` is how long `slow` takes, and the time-out that `timeout` and `hang` use in place of the function's.
    """

    target: str
    mode: str
    times: int | None = 1
    point: str | None = None
    nth: int = 1
    seconds: float | None = None
    under_way: int = field(default=0, compare=False)

    @classmethod
    def parse(cls, value: object) -> Fault:
        """Read one fault from JSON. Raises FaultError."""
        if not isinstance(value, Mapping) or not isinstance(value.get("target"), str) or not value["target"]:
            raise FaultError("a fault needs a target: the name of a function or of a provider")
        mode, point, seconds = value.get("mode"), value.get("point"), value.get("seconds")
        if mode not in CALL_MODES | FUNCTION_MODES:
            raise FaultError(f"mode must be one of {', '.join(sorted(CALL_MODES | FUNCTION_MODES))}")
        times, nth = value.get("times", 1), value.get("nth", 1)
        if times is not None and not _is_count(times):
            raise FaultError("times must be a positive number, or null for every call")
        if point is None and (mode in ("kill", "hang") or "nth" in value):
            raise FaultError(f"point must be one of {', '.join(POINTS)}")
        if point is not None and (point not in POINTS or mode not in POINT_MODES):
            raise FaultError(
                f"point must be one of {', '.join(POINTS)}, with {', '.join(sorted(POINT_MODES))}"
            )
        if (mode, point) == ("error", "entry"):
            raise FaultError("an error at the entry is one without a point")
        if not _is_count(nth):
            raise FaultError("nth must be a positive number")
        if seconds is not None and (mode not in _TIMED or not _is_duration(seconds)):
            raise FaultError(f"seconds must be between 0 and 3600, with {', '.join(sorted(_TIMED))}")
        return cls(value["target"], mode, times, point, nth, seconds)

    @property
    def is_for_functions(self) -> bool:
        """Whether it can happen in a function only."""
        return self.point is not None or self.mode in FUNCTION_MODES - CALL_MODES

    def json(self) -> dict[str, Any]:
        """The fault as it is shown to a developer; `times` is what is left of it."""
        shown: dict[str, Any] = {"target": self.target, "mode": self.mode, "times": self.times}
        if self.point is not None:
            shown |= {"point": self.point, "nth": self.nth}
        return shown | ({} if self.seconds is None else {"seconds": self.seconds})


@dataclass
class Stroke:
    """One call that a fault was taken for: whether it has happened there, and how often each point was reached.

    `about` are the ids that the call's payload names: whose order, reservation or message it was.
    """

    fault: Fault
    function: str
    fired: bool
    about: tuple[str, ...] = ()
    reached: dict[str, int] = field(default_factory=dict)

    @property
    def order(self) -> str | None:
        """What the process is told, if the fault happens in it."""
        fault = self.fault
        if fault.point is None and fault.mode != "watch":
            return None
        return json.dumps(
            {"mode": fault.mode, "point": fault.point, "nth": fault.nth, "seconds": fault.seconds}
        )

    def hear(self, report: Mapping[str, Any]) -> None:
        """Take what the process reports."""
        self.fired = self.fired or bool(report["fired"])
        self.reached = dict(report["reached"])

    def json(self) -> dict[str, Any]:
        """The stroke as it is shown to a developer."""
        fault = self.fault
        shown = {"function": self.function, "mode": fault.mode, "point": fault.point, "nth": fault.nth}
        return shown | {"fired": self.fired, "reached": self.reached, "about": list(self.about)}


class Faults:
    """The faults that are still to happen, and what has become of those that were ordered last."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._strokes: deque[Stroke] = deque(maxlen=_REMEMBERED)

    def add(self, faults: Sequence[Fault]) -> None:
        """Add faults; a new one replaces those of the same target."""
        targets = {fault.target for fault in faults}
        self._faults = [fault for fault in self._faults if fault.target not in targets] + list(faults)

    def clear(self) -> None:
        """Forget them all."""
        self._faults = []
        self._strokes.clear()

    def pending(self) -> list[Fault]:
        """Those still to happen, or happening."""
        return list(self._faults)

    def strokes(self) -> list[Stroke]:
        """The calls that faults were taken for since the last `clear`, as far as they are over."""
        return list(self._strokes)

    def take(self, name: str) -> str | None:
        """The mode that applies to this call of `name`, counted down; None if there is none."""
        stroke = self.begin(name)
        if stroke is not None:
            self.end(stroke)
        return stroke.fault.mode if stroke else None

    def begin(self, name: str, payload: bytes = b"") -> Stroke | None:
        """The fault for this call of `name`, counted down; None if there is none. `end` it when the call is over."""
        for fault in self._faults:
            if name.endswith(fault.target) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                fault.under_way += 1
                about = tuple(dict.fromkeys(id_.decode() for id_ in _ID.findall(payload)))[:_MOST_IDS]
                return Stroke(fault, name, fault.point is None, about)
        return None

    def end(self, stroke: Stroke) -> None:
        """The call is over; a fault that did not happen in it waits for the next one."""
        fault = stroke.fault
        fault.under_way -= 1
        if not stroke.fired and fault.times is not None:
            fault.times += 1
        if fault.times == 0 and fault.under_way == 0 and fault in self._faults:
            self._faults = [other for other in self._faults if other is not fault]
        self._strokes.append(stroke)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 3600
