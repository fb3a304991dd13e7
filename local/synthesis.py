"""`cdk synth` for the laptop: into a folder of its own, and only when something that goes into it has changed."""

import asyncio
import hashlib
import shutil
from pathlib import Path

from local.processes import CannotStart, Processes, Program

REPOSITORY = Path(__file__).resolve().parents[1]
SYNTH_SECONDS = 180

# All that the template and the assets are made of.
_INPUTS = ("app.py", "cdk.json", "package-lock.json", "requirements-dev.txt", "cdk", "functions", "layers")
# The third-party layer is for another machine; here the virtual environment stands in for it.
_SYNTH = ("synth", "--quiet", "--no-notices", "--context", "dependencies=skip")
_QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "1"}


async def synthesize(output: Path, processes: Processes) -> bool:
    """Bring the cloud assembly in `output` up to date; whether there was anything to do.

    Raises:
        CannotStart: the command line is not installed, or the CDK app failed (the line says where its words are).
    """
    stamp = output.with_name(output.name + ".sha256")
    made_from = fingerprint()
    if output.is_dir() and stamp.exists() and stamp.read_text() == made_from:
        return False
    cli = REPOSITORY / "node_modules" / "aws-cdk" / "bin" / "cdk"
    node = shutil.which("node")
    if node is None or not cli.exists():
        raise CannotStart("the CDK command line is not installed: run `make install`")
    stamp.unlink(missing_ok=True)
    shutil.rmtree(output, ignore_errors=True)
    command: list[str | Path] = [node, cli, *_SYNTH, "--output", output.resolve()]
    process = processes.start(Program("cdk-synth", command, _QUIET, folder=REPOSITORY))
    await asyncio.to_thread(processes.finish, process, SYNTH_SECONDS)
    stamp.write_text(made_from)
    return True


def fingerprint() -> str:
    """A hash of everything that goes into the templates and the assets, this file's options aside."""
    digest = hashlib.sha256()
    for name in _INPUTS:
        path = REPOSITORY / name
        files = sorted(file for file in path.rglob("*") if _counts(file)) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file.relative_to(REPOSITORY)}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _counts(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts
