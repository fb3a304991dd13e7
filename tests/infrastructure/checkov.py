"""What checkov finds in a stage's templates without a reason in `cdk/reviews/checkov.py`, and reasons for nothing.

    python -m tests.infrastructure.checkov dev staging prod      # `make checkov`

It wants some ninety packages, several in other versions than ours, and so gets a virtual environment of its own, in
`build/`. It is given the templates without our reasons: with them it does not look at all, and none would ever be idle.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cdk.reviews import checkov as reviews
from cdk.reviews.review import Review
from tests.infrastructure.synthesis import synthesized
from tests.infrastructure.template import ROOT, Resource, System

VERSION = "3.3.30"
_VENV = ROOT / "build" / f"checkov-{VERSION}"

Finding = tuple[str, str, str]
"""A rule, a stack and the logical id of a resource."""


def main(stages: list[str]) -> int:
    """Print what is wrong; the exit code says whether anything is."""
    python, wrong, idle = _installed(), list[str](), set(reviews.ROWS)
    for stage in stages:
        print(f"checkov reads {stage} ...", file=sys.stderr)
        system = synthesized(stage)
        found, excused = set(_findings(system, python)), dict(_excused(system))
        assert len(found) > 20, "it finds more than that where no reason is given"
        wrong += [f"{stage}: {' '.join(each)}" for each in sorted(found - set(excused))]
        idle -= {excused[each] for each in found & set(excused)}
    wrong += [f"no stage needs this reason: {row.rule} {row.where}" for row in reviews.ROWS if row in idle]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


def _excused(system: System) -> Iterator[tuple[Finding, Review]]:
    for row in reviews.ROWS:
        for resource in system.resources:
            if row.is_of(resource.type, _path(resource)):
                for rule in row.rules:
                    yield (rule, resource.stack, resource.id), row


def _findings(system: System, python: Path) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        for stack, template in system.templates.items():
            for resource in template["Resources"].values():
                resource.get("Metadata", {}).pop("checkov", None)
            (Path(folder) / f"{stack}.json").write_text(json.dumps(template))
        command = [str(python), "-m", "checkov.main", "--directory", folder, "--framework", "cloudformation"]
        options = ["--output", "json", "--quiet", "--compact"]
        run = subprocess.run([*command, *options], capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr
    for check in json.loads(run.stdout)["results"]["failed_checks"]:
        yield check["check_id"], Path(check["file_path"]).stem, check["resource"].rpartition(".")[2]


def _path(resource: Resource) -> str:
    return str(resource.metadata.get("aws:cdk:path", ""))


def _installed() -> Path:
    """Its Python; a folder that is there has all of it."""
    if not _VENV.exists():
        print(
            f"Installing checkov {VERSION} into build/ (two minutes, the first time only) ...",
            file=sys.stderr,
        )
        unfinished = _VENV.with_name(f"unfinished-{_VENV.name}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(unfinished)], check=True)
        pip = [str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet", f"checkov=={VERSION}"]
        subprocess.run(pip, check=True)
        unfinished.rename(_VENV)
    return _VENV / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
