"""A storm from the command line; see the package."""

import argparse
import sys
from pathlib import Path

import psutil

from tests.e2e.laptop import Laptop
from tests.faults.storm.plan import draw
from tests.faults.storm.run import SETTINGS, Verdict, storm
from tests.outages import server_at


class Running(Laptop):
    """A laptop cloud that somebody else started."""

    def __init__(self, port: int, state: Path) -> None:
        super().__init__()
        self.folder.rmdir()
        self.port, self.url, self.state = port, f"http://127.0.0.1:{port}", state.resolve()

    def processes(self) -> list[psutil.Process]:
        """Those of whoever listens there."""
        launcher = server_at(self.port)
        return [launcher, *launcher.children(recursive=True)]


def say(line: str) -> None:
    """A line at once, whatever reads it."""
    print(line, flush=True)


def main() -> int:
    """The exit code: 1 if anything was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.storm", description=(__doc__ or "").split(";")[0]
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument(
        "--port", type=int, help="a laptop cloud that runs already; by default one is started"
    )
    parser.add_argument("--state", type=Path, default=Path(".state"), help="its state folder")
    chosen = parser.parse_args()
    plan = draw(chosen.seed, chosen.orders)
    if chosen.port is not None:
        return judged(storm(Running(chosen.port, chosen.state), plan, say))
    laptop = Laptop(settings=SETTINGS)
    say(f"seed {chosen.seed}; a laptop cloud starts in {laptop.folder}")
    try:
        return judged(storm(laptop.start(), plan, say))
    finally:
        laptop.remove()


def judged(verdict: Verdict) -> int:
    """The exit code, once the verdict is told."""
    say(verdict.table())
    return 1 if verdict.findings else 0


if __name__ == "__main__":
    sys.exit(main())
