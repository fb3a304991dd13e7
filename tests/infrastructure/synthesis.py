"""A stage's templates, made as the laptop cloud makes them, and kept in `build/` under the hash of their inputs."""

import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from local.synthesis import fingerprint
from tests.infrastructure.template import ROOT, System

FOLDER = ROOT / "build" / "templates"
# Node's own warnings, of its age, come on some days and not on others; the CDK's are no part of them.
QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "1", "NODE_NO_WARNINGS": "1"}
_WORDS = "words.txt"
_KEPT_SECONDS = 7200


APP = "app"
LESSER = "tests.infrastructure.lesser"


def synthesized(stage: str, module: str = APP, **context: str) -> System:
    """The templates of a stage; synthesized now unless these inputs were before. `module` is run as the app."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # One at a time: processes of tests that want the same stage at once would all make it.
    with (FOLDER / f"{stage}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kind = "_".join([stage, *([] if module == APP else [module.rsplit(".", 1)[-1]]), *context.values()])
        folder = FOLDER / f"{kind}-{fingerprint()[:16]}"
        if not folder.exists():
            for old in FOLDER.glob(f"{kind}-*"):
                if time.time() - old.stat().st_mtime > _KEPT_SECONDS:  # no other run can be at work on it
                    shutil.rmtree(old)
            _synthesize(folder, module, {"stage": stage, **context})
    return System(folder, said=(folder / _WORDS).read_text())


def findings(folder: Path) -> list[str]:
    """What cdk-nag found in the templates of a cloud assembly, and where."""
    report = json.loads((folder / "validation-report.json").read_text())
    return [
        f"{violation['ruleName']}: {construct['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def _synthesize(folder: Path, module: str, given: dict[str, str]) -> None:
    unfinished = folder.with_name(f"unfinished-{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = ["node", str(ROOT / "node_modules/aws-cdk/bin/cdk"), "synth", "--quiet", "--no-notices"]
    options = ["--output", str(unfinished), "--app", f".venv/bin/python -m {module}"]
    for name, value in ({"dependencies": "skip", "nag": "report"} | given).items():
        options += ["--context", f"{name}={value}"]
    run = subprocess.run(
        [*command, *options], cwd=ROOT, env=os.environ | QUIET, capture_output=True, text=True
    )
    # What cdk-nag finds ends the command line with an error, and is the affair of one test.
    assert run.returncode == 0 or findings(unfinished), run.stdout + run.stderr
    (unfinished / _WORDS).write_text(run.stdout + run.stderr)
    unfinished.rename(folder)
