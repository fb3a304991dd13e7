"""Take each guard away, in a copy of the checkout, and see that a test fails: a test that cannot fail proves nothing.

`make mutants` goes through `tools/guards.toml`, where each guard is named with the text that it is in its file, what
stands there without it, and the tests that have to notice. The exit code is 1 if one is missed by no test. All these
tests are run with every guard in its place first: one that fails in a copy anyway would seem to miss every guard.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
LIST = ROOT / "tools" / "guards.toml"
TESTS_FAILED, NO_TESTS = 1, 5
TIMEOUT_SECONDS = 600
AT_ONCE = 2
_NOT_COPIED = shutil.ignore_patterns(
    ".git",
    ".venv",
    "node_modules",
    "cdk.out",
    "build",
    ".state",
    "web",
    ".*_cache",
    "__pycache__",
    ".hypothesis",
)


@dataclass(frozen=True)
class Guard:
    """What keeps something right: `text` in `file`, once. Without it there is `without`, and one of `tests` fails."""

    name: str
    file: str
    text: str
    tests: tuple[str, ...]
    without: str = ""

    def taken_from(self, source: str) -> str:
        """The source without the guard.

        Raises:
            ValueError: the text is not in it, or not once.
        """
        if source.count(self.text) != 1:
            raise ValueError(f"{self.file} has the text of '{self.name}' {source.count(self.text)} times")
        return source.replace(self.text, self.without)


def guards(path: Path = LIST) -> list[Guard]:
    """All that are listed."""
    listed = tomllib.loads(path.read_text())["guard"]
    return [Guard(**{**row, "tests": tuple(row["tests"])}) for row in listed]


def is_missed(guard: Guard, copy: Path) -> bool:
    """Whether a test fails in this copy without the guard. The copy is as it was afterwards.

    Raises:
        RuntimeError: the tests could not be run.
    """
    file = copy / guard.file
    source = file.read_text()
    file.write_text(guard.taken_from(source))
    try:
        code, said = _run(guard.tests, copy)
    finally:
        file.write_text(source)
    if code not in (0, TESTS_FAILED):
        raise RuntimeError(f"{guard.name}: pytest ended with {code}\n{said[-2000:]}")
    return code == TESTS_FAILED


def _run(tests: Sequence[str], copy: Path, timeout: int = TIMEOUT_SECONDS) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=timeout)  # noqa: S603  # our own tests
    except subprocess.TimeoutExpired:
        return TESTS_FAILED, "it hangs"
    return done.returncode, done.stdout + done.stderr


def check_tests(chosen: Sequence[Guard], copies: Sequence[Path]) -> None:
    """See that the tests of these guards pass while nothing is taken away.

    Raises:
        RuntimeError: one does not.
    """
    tests = sorted({test for guard in chosen for test in guard.tests})
    parts = [tests[start :: len(copies)] for start in range(len(copies))]

    def passes(part: Sequence[str], copy: Path) -> None:
        code, said = _run(part, copy, TIMEOUT_SECONDS * len(part)) if part else (0, "")
        if code != 0:
            raise RuntimeError(f"with every guard in its place, a test fails\n{said[-2000:]}")

    with ThreadPoolExecutor(len(copies)) as pool:
        list(pool.map(passes, parts, copies))


def _go_through(chosen: Sequence[Guard], folder: Path) -> list[Guard]:
    """Those that no test misses."""
    copies = [_copied(folder / str(number)) for number in range(AT_ONCE)]
    check_tests(chosen, copies)
    free: Queue[Path] = Queue()
    for copy in copies:
        free.put(copy)
    done = count(1)

    def judge(guard: Guard) -> bool:
        began, copy = time.monotonic(), free.get()
        try:
            noticed = is_missed(guard, copy)
        finally:
            free.put(copy)
        verdict = "missed" if noticed else "NO TEST MISSES IT"
        took = f"{time.monotonic() - began:5.1f} s"
        print(f"{next(done):3}/{len(chosen)}  {took}  {verdict:17}  {guard.name}", flush=True)
        return noticed

    with ThreadPoolExecutor(AT_ONCE) as pool:
        noticed = list(pool.map(judge, chosen))
    return [guard for guard, is_noticed in zip(chosen, noticed, strict=True) if not is_noticed]


def _copied(copy: Path) -> Path:
    shutil.copytree(ROOT, copy, ignore=_NOT_COPIED, symlinks=True)
    for name in ("node_modules", ".venv"):  # the CDK runs both
        (copy / name).symlink_to(ROOT / name)
    return copy


def main() -> int:
    """Take away what is asked for, one guard in a copy at a time."""
    parser = argparse.ArgumentParser(prog="tools.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="guards whose name or file matches this")
    only = parser.parse_args().only
    chosen = [guard for guard in guards() if re.search(only, f"{guard.name}\n{guard.file}")]
    with tempfile.TemporaryDirectory() as folder:
        unnoticed = _go_through(chosen, Path(folder))
    print(f"{len(chosen)} guards, {len(unnoticed)} that no test misses")
    return 1 if unnoticed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
