"""The cells of the crash matrix: which function can be broken where, by its template and by watching it run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.assembly import Assembly
from tests.faults.proving_ground import PREFIX

ROUTES = (
    "tickets-reserve",
    "tickets-purchase",
    "payments-process",
    "payments-refund",
    "payments-stripe-webhook",
    "payments-paypal-webhook",
)
"""Those that move money or seats. What others change is one transaction, which their client repeats."""
PAIRS = (
    ("entry", "before_answer"),
    ("before_commit", "after_commit"),
    ("before_call", "after_call"),
    ("before_publish", "after_publish"),
)
DONE_AND_NOT_TOLD = ("after_commit", "after_call")
"""Where it costs most to die: nobody knows yet of what was written, or of what a provider did."""
_CALLS = ("STRIPE_SECRET_ARN", "SENDGRID_SECRET_ARN", "PURCHASE_STATE_MACHINE_ARN", "BUCKET")
_OUTBOX = ("TOPIC_ARN", "QUEUE_")

# What a function may do and does not in its stories: (function, what) and why.
NEVER = {
    ("payments-stripe-webhook", "call"): "a signature is verified without asking Stripe",
    ("platform-job-audit", "commit"): "it reads",
    ("tickets-saga-reserve", "commit"): "it verifies what the purchase wrote",
}

# What depends on the moment: (function, what) and why.
AT_TIMES = {
    ("tickets-reserve", "call"): "it asks events of an event whose message has not come yet",
}

# These call a provider once in the life of a process, which has to be a new one to be killed there.
ONCE_A_PROCESS = ("payments-paypal-webhook",)
WARM = 3
"""So many of its processes are killed first: those that are warm do not call any more."""

Reached = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Round:
    """Faults that are ordered together, with what they are called in a report."""

    name: str
    faults: tuple[dict[str, Any], ...]


def must_happen(fault: Mapping[str, Any]) -> bool:
    """Whether the stories lead to this fault every time; how often one call gets to a point depends on its batch."""
    name, what = str(fault["target"]).removeprefix(PREFIX), str(fault.get("point", "")).rpartition("_")[2]
    return (name, what) not in AT_TIMES and fault.get("nth", 1) == 1


def covered(assembly: Assembly) -> list[str]:
    """Every saga task, consumer and scheduled job of the template, and the routes that move money or seats."""
    scheduled = {schedule.function for schedule in assembly.schedules}
    names = [
        name.removeprefix(PREFIX)
        for name in assembly.functions
        if "-saga-" in name or "-consumer-" in name or name in scheduled
    ]
    return sorted([*names, *ROUTES])


def expected(assembly: Assembly, function: str) -> list[str]:
    """What the function does, by what its row in the template lets it touch: answer, commit, call, publish."""
    names = assembly.functions[PREFIX + function].environment
    does = ["answer"]
    does += ["commit"] if "DATABASE_HOST" in names else []
    does += ["call"] if any(part in name for part in _CALLS for name in names) else []
    does += ["publish"] if any(name.startswith(part) for part in _OUTBOX for name in names) else []
    return does


def reached(strokes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """How often each function got to each point in one call, at most, as far as it was watched."""
    most: dict[str, Counter[str]] = {}
    for stroke in strokes:
        counted = most.setdefault(stroke["function"].removeprefix(PREFIX), Counter())
        for point, times in stroke["reached"].items():
            counted[point] = max(counted[point], times)
    return {function: dict(counted) for function, counted in most.items()}


def watching(functions: Iterable[str]) -> Round:
    """Nothing breaks."""
    return Round("watched", tuple(_fault(name, "watch", times=None) for name in functions))


def killing(seen: Reached, most: int, pairs: Iterable[tuple[str, str]] = PAIRS) -> Iterator[Round]:
    """Killed at every point that it reaches, there at each of the first `most` times in one call."""
    for nth in range(1, most + 1):
        for pair in pairs:
            faults = [
                _fault(name, "kill", point=point, nth=nth)
                for name, points in sorted(seen.items())
                for point in pair
                if points.get(point, 0) >= nth
            ]
            struck = {fault["target"].removeprefix(PREFIX) for fault in faults if "call" in fault["point"]}
            warm = [
                _fault(name, "kill", point="entry", times=WARM) for name in ONCE_A_PROCESS if name in struck
            ]
            if faults:
                yield Round(f"killed at {' and '.join(pair)}, {nth}", (*warm, *faults))


def repeating(functions: Iterable[str]) -> Iterator[Round]:
    """Run twice, run twice at once, timed out, answering late."""
    for mode, options in (
        ("duplicate", {"times": 2}),
        ("twice", {"times": 2}),
        ("hang", {"point": "before_answer", "seconds": 1}),
        ("slow", {"point": "before_answer", "seconds": 2}),
    ):
        yield Round(mode, tuple(_fault(name, mode, **options) for name in functions))


def failing(functions: Iterable[str], times: int | None = None) -> Round:
    """Failing so often, or until it is cleared."""
    names = tuple(functions)
    return Round(f"failing: {', '.join(names)}", tuple(_fault(name, "error", times=times) for name in names))


def _fault(function: str, mode: str, **options: Any) -> dict[str, Any]:
    return {"target": PREFIX + function, "mode": mode, **options}


def suspects(strokes: Iterable[Mapping[str, Any]], breach: str) -> list[str]:
    """The cells (function, what happened, where) whose calls were about something that the breach names."""
    found = [
        f"{_cell(stroke)}: {', '.join(named)}"
        for stroke in strokes
        if stroke["fired"] and (named := [id_ for id_ in stroke["about"] if id_ in breach])
    ]
    return list(dict.fromkeys(found))


def unfired(faults: Iterable[Mapping[str, Any]]) -> list[str]:
    """The cells that no call got to."""
    return sorted(_cell({**fault, "function": fault["target"]}) for fault in faults)


def _cell(stroke: Mapping[str, Any]) -> str:
    name, nth = stroke["function"].removeprefix(PREFIX), stroke.get("nth") or 1
    where = f" at {stroke['point']}" if stroke.get("point") else ""
    return f"{name} {stroke['mode']}{where}" + (f" ({nth})" if nth > 1 else "")
