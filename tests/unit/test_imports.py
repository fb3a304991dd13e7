"""What the hot paths import: a cold start pays for every module, so the heavy ones wait for their first use."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HOT = [
    "functions.auth.authorizers.bearer",
    "functions.auth.routes.login",
    "functions.events.routes.get_event",
    "functions.events.routes.search_events",
    "functions.tickets.routes.availability",
    "functions.tickets.routes.reserve",
    "functions.tickets.routes.purchase",
    "functions.tickets.saga.reserve",
    "functions.tickets.saga.issue",
    "functions.payments.routes.get_order",
    "functions.payments.routes.process",
    "functions.payments.saga.charge",
]
HEAVY = {"boto3", "stripe", "redis", "jinja2", "moto", "aws_cdk"}


@pytest.mark.parametrize("module", HOT)
def test_a_hot_function_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module} as m; assert callable(m.handler); print(*sys.modules)"
    path = f"{REPOSITORY}:{REPOSITORY / 'layers/shared/python'}"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path}, check=False
    )

    assert done.returncode == 0, done.stderr
    assert HEAVY & set(done.stdout.split()) == set()
