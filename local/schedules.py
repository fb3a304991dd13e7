"""EventBridge Scheduler's tick: invokes functions by `rate(…)` and `cron(…)` expressions.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from local.lambdas import LambdaHost, TooManyRequests
from local.permissions.gate import Denied
from local.resources import AssemblyError, Schedule

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class Schedules:
    """Fires `schedules` at `host`. Raises AssemblyError for an expression that it does not know."""

    def __init__(self, schedules: Iterable[Schedule], host: LambdaHost) -> None:
        self._schedules = [(schedule, parse(schedule.expression)) for schedule in schedules]
        self._host = host
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin. A rate fires at once and then after each period, as a new schedule does on AWS."""
        for schedule, when in self._schedules:
            run = self._repeat(schedule, when) if isinstance(when, float) else self._follow(schedule, when)
            self._tasks.append(asyncio.create_task(run))

    async def stop(self) -> None:
        """Fire no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, schedule: Schedule, seconds: float) -> None:
        async with asyncio.TaskGroup() as calls:
            while True:
                calls.create_task(self._fire(schedule, datetime.now(UTC)))
                await asyncio.sleep(seconds)

    async def _follow(self, schedule: Schedule, cron: Cron) -> None:
        zone = ZoneInfo(schedule.timezone)
        async with asyncio.TaskGroup() as calls:
            while True:
                now = datetime.now(UTC)
                minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
                await asyncio.sleep((minute - now).total_seconds())
                if cron.matches(minute.astimezone(zone)):
                    calls.create_task(self._fire(schedule, minute))

    async def _fire(self, schedule: Schedule, at: datetime) -> None:
        time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = schedule.payload.replace("<aws.scheduler.scheduled-time>", time)
        try:
            if schedule.role is not None:
                self._host.admit_role(schedule.role, schedule.target)
        except Denied as denied:
            print(f"schedule {schedule.name}: {denied}", flush=True)
            return
        while True:
            try:
                answer = await self._host.invoke(schedule.function, payload.encode())
            except TooManyRequests:
                await asyncio.sleep(5)
                continue
            if answer.error is not None:
                reason = answer.payload[:300].decode(errors="replace")
                print(f"schedule {schedule.name}: {schedule.function} failed: {reason}", flush=True)
            return


@dataclass(frozen=True)
class Cron:
    """A cron expression: the values that each field admits."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def matches(self, at: datetime) -> bool:
        """Whether the minute of `at` is one of them. The week begins with Sunday, which is 1."""
        return (
            at.minute in self.minutes
            and at.hour in self.hours
            and at.day in self.days
            and at.month in self.months
            and at.isoweekday() % 7 + 1 in self.weekdays
            and at.year in self.years
        )


def parse(expression: str) -> float | Cron:
    """The period in seconds of a rate, or a Cron. Raises AssemblyError."""
    if rate := _RATE.fullmatch(expression):
        return float(int(rate[1]) * _SECONDS[rate[2]])
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    if not expression.startswith("cron(") or len(fields) != 6:
        raise AssemblyError(f"the schedule {expression} is neither a rate nor a cron expression")
    try:
        return Cron(
            _field(fields[0], 0, 59),
            _field(fields[1], 0, 23),
            _field(fields[2], 1, 31),
            _field(fields[3], 1, 12, _MONTHS),
            _field(fields[4], 1, 7, _DAYS),
            _field(fields[5], 1970, 2199),
        )
    except ValueError:
        raise AssemblyError(
            f"the schedule {expression} has a field that the laptop cloud does not know"
        ) from None


def _field(text: str, low: int, high: int, names: list[str] | None = None) -> frozenset[int]:
    """The values of one field: lists, ranges, steps and names. Raises ValueError (for `L`, `W`, `#` too)."""
    values: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first = _number(begin, low, names)
            last = _number(end, low, names) if end else (high if step else first)
        if not low <= first <= last <= high:
            raise ValueError(text)
        values.update(range(first, last + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, low: int, names: list[str] | None) -> int:
    return names.index(text) + low if names and text in names else int(text)
