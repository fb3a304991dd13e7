"""What the buyers were told: every answer counted, every one that is not honest kept."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.e2e.client import Answer

DOCUMENT = Path(__file__).resolve().parents[3] / "functions" / "platform" / "openapi.json"
WAIT = (429, 503)


@dataclass
class Ledger:
    """Counts, and findings in words. Many threads write it. `before` are the orders that there were already."""

    before: frozenset[str] = frozenset()
    answers: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    dishonest: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    gateway_errors: int = 0
    refunds: int = 0
    kills_are_on: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, route: str, answer: Answer) -> None:
        """Count an answer; one that is neither documented nor excused is a finding.

        A function that was killed has no answer, so API Gateway answers 502 for it: no lie while functions are killed.
        """
        with self._lock:
            self.answers[_family(answer.status)] += 1
            if answer.status == 502 and self.kills_are_on:
                self.gateway_errors += 1
            elif answer.status == 500 or str(answer.status) not in documented(method, route):
                self._lie(f"{method} {route} answered {answer.status}: {answer.content[:150]!r}")
            elif answer.status in WAIT and "Retry-After" not in answer.headers:
                self._lie(f"{method} {route} answered {answer.status} without Retry-After")
            elif answer.status == 401:
                self._lie(f"{method} {route} answered 401 to somebody signed in")

    def no_answer(self, method: str, route: str, error: Exception) -> None:
        """Nothing came, though the gateway was there all the time."""
        with self._lock:
            self.answers["none"] += 1
            self._lie(f"{method} {route} was not answered: {type(error).__name__}")

    def accept(self, order_id: str, quantity: int) -> None:
        """A purchase was answered with 202."""
        with self._lock:
            self.accepted[order_id] = quantity

    def lose(self) -> None:
        """A purchase of which its buyer never heard, however often it was sent."""
        with self._lock:
            self.unknown += 1

    def end(self, outcome: str) -> None:
        """How an errand ended, as its buyer saw it."""
        with self._lock:
            self.outcomes[outcome] += 1

    def refund(self) -> None:
        """A refund was accepted."""
        with self._lock:
            self.refunds += 1

    def lie(self, what: str) -> None:
        """Something that nobody should have been told."""
        with self._lock:
            self._lie(what)

    def _lie(self, what: str) -> None:
        self.dishonest[what] += 1


@cache
def documented(method: str, route: str) -> frozenset[str]:
    """The statuses that the OpenAPI document has for an operation."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return frozenset(paths[route][method.lower()]["responses"])


def _family(status: int) -> str:
    return f"{status // 100}xx" if status < 500 else str(status)
