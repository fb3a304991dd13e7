"""The running API held against its document, by requests that nobody thought of.

A few requests per operation and role, always the same ones; `make fuzz SEED=2 EXAMPLES=100` asks more of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.laptop import Laptop
from tools.fuzz import ROLES, fuzz

SEED = 20261122
# A run that hangs is ended; one on a slow machine is not.
SECONDS = 900
# The limits of every schema are tried once: what may be sent is the same for everybody.
PHASES = {"nobody": "examples,fuzzing", "organizer": "examples,coverage,stateful"}


@pytest.fixture(scope="module")
def asked(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud of its own: nobody knows what its organizers will have cancelled."""
    with Laptop(demo=True, assembly=assembly) as running:
        yield running


@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_in_the_document(asked: Laptop, role: str) -> None:
    held, report = fuzz(
        asked.url, role, seed=SEED, examples=3, phases=PHASES.get(role, "fuzzing,stateful"), seconds=SECONDS
    )

    assert held, report
