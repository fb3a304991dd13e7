"""The system as the pinned command line synthesizes it, once for all tests of a process."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.template import ROOT, System

QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "1"}


def synthesized(folder: Path, stage: str) -> System:
    """The templates of a stage, made the way the laptop cloud makes them."""
    command = ["node", str(ROOT / "node_modules/aws-cdk/bin/cdk"), "synth", "--quiet", "--no-notices"]
    options = ["--output", str(folder), "--context", "dependencies=skip", "--context", f"stage={stage}"]
    run = subprocess.run(
        [*command, *options], cwd=ROOT, env=os.environ | QUIET, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return System(folder, said=run.stdout + run.stderr)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    """The dev stage."""
    return synthesized(tmp_path_factory.mktemp("dev"), "dev")


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> System:
    """The prod stage."""
    return synthesized(tmp_path_factory.mktemp("prod"), "prod")
