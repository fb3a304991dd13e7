"""How long the state machines run: briefly and always the same by default, or as long as somebody asks.

`make properties EXAMPLES=500 SEED=7` tries so many other sequences. A failure is printed as the calls that lead to it.
"""

import os
import sys

from hypothesis import HealthCheck, Phase, settings

ASKED_FOR = int(os.environ.get("PROPERTY_EXAMPLES", "0"))
LIMIT_SECONDS = 0 if ASKED_FOR else 600
"""Of one test, which is many small ones; 0: none."""


def effort(examples: int, steps: int, *, is_control: bool = False) -> settings:
    """So many sequences of at most so many steps; where PROPERTY_EXAMPLES is set, so many longer and other ones.

    Args:
        is_control: a failure is expected, and nobody wants to see the shortest way to it.
    """
    is_long = bool(ASKED_FOR) and not is_control
    return settings(
        max_examples=ASKED_FOR if is_long else examples,
        stateful_step_count=2 * steps if is_long else steps,
        derandomize=not is_long,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if is_long else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def begin_sequence() -> None:
    """Say on a long run how far it is."""
    global _begun
    _begun += 1
    if ASKED_FOR and sys.__stderr__:
        print(f"\rsequence {_begun} ", end="", file=sys.__stderr__, flush=True)


_begun = 0
