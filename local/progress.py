"""What a developer reads while the laptop cloud starts: a line per step, with how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_GREEN, _RED, _DIM, _END = "\033[32m", "\033[31m", "\033[2m", "\033[0m"


@dataclass
class Step:
    """A step under way; `detail` is shown behind its name when it is done."""

    name: str
    detail: str = ""


class Progress:
    """Prints steps; on a terminal the step under way is shown before it is done."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show a step with its result and its time."""
        step = Step(name)
        began = time.monotonic()
        if self._terminal:
            print(f"  … {name}", end="\r", flush=True)
        try:
            yield step
        except BaseException:
            self._line("✗", _RED, step, time.monotonic() - began)
            raise
        self._line("✓", _GREEN, step, time.monotonic() - began)

    def say(self, text: str = "") -> None:
        """Print a line as it is."""
        print(text, flush=True)

    def _line(self, mark: str, colour: str, step: Step, seconds: float) -> None:
        text = f"{step.name:<24} {step.detail:<44} {self._paint(_DIM, f'{seconds:5.1f} s')}"
        print(f"  {self._paint(colour, mark)} {text}", flush=True)

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_END}" if self._terminal else text
