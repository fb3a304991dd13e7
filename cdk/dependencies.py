"""The third-party packages of the layer: installed for Lambda's processor from the lock, compiled for its Python."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "layers" / "shared" / "requirements.txt"
PYTHON = "3.13"

# Amazon Linux 2023, on which Lambda runs Python, has glibc 2.34. With `manylinux2014` old releases are picked silently.
PLATFORM = ["--python-platform", "aarch64-manylinux_2_34", "--python-version", PYTHON]
REPRODUCIBLE = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
WHERE_LAMBDA_HAS_IT = "/opt/python"
# Another one for another way of making the folder from the same lock: what an earlier one has left is not taken.
_MADE = "without tests"


@functools.cache
def installed_dependencies() -> Path | None:
    """The folder with the packages of layers/shared/requirements.txt for Lambda's processor, installed if need be.

    Kept in `build/` under the hash of the lock file. None if they cannot be had (offline, or a hash is wrong); why is
    said on stderr. With a Python of the runtime's version at hand (as in the pipeline) they are compiled, which makes
    cold starts two to four times as quick; without one Lambda compiles them itself, at each cold start.
    """
    python = _runtime_s_python()
    what = " ".join([*PLATFORM, _MADE, str(python is not None)]).encode() + REQUIREMENTS.read_bytes()
    folder = ROOT / "build" / f"dependencies-{hashlib.sha256(what).hexdigest()[:16]}"
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    target = ["--target", str(unfinished / "python"), "--link-mode", "copy", "--no-installer-metadata"]
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", *PLATFORM, *REPRODUCIBLE, *target]
    done = subprocess.run([*install, "-r", str(REQUIREMENTS)], check=False)  # noqa: S603  # no word is from outside
    if done.returncode:
        shutil.rmtree(unfinished, ignore_errors=True)
        sys.stderr.write(
            "The third-party packages cannot be installed: these templates refuse to be deployed.\n"
        )
        return None
    # Some have packed their own tests, which nobody imports, over those of others: the last one installed would win.
    shutil.rmtree(unfinished / "python" / "tests", ignore_errors=True)
    if python is None:
        sys.stderr.write(
            f"No Python {PYTHON} is here to compile the layer with: cold starts will be slower.\n"
        )
    else:
        compile_packages(unfinished / "python", python)
    unfinished.rename(folder)
    return folder


def compile_packages(folder: Path, python: str) -> None:
    """Put the bytecode of every module of `folder` beside it, the same from the same sources wherever it is made.

    It is not checked against the sources when it is loaded: a layer's files have the time at which they were unpacked.

    Raises:
        subprocess.CalledProcessError: the interpreter cannot be run.
    """
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", WHERE_LAMBDA_HAS_IT]
    # Some packages carry modules of other versions of Python, which do not compile, and which nobody imports.
    command = [python, "-m", "compileall", "-q", "-q", "-f", *options, str(folder)]
    done = subprocess.run(command, check=False)  # noqa: S603  # no word is from outside
    if not any(folder.rglob("*.pyc")):
        raise subprocess.CalledProcessError(done.returncode, command)


def _runtime_s_python() -> str | None:
    """A Python of the runtime's version that runs: pyenv has a name on the path for versions that it does not have."""
    here = ".".join(map(str, sys.version_info[:2]))
    found = sys.executable if here == PYTHON else shutil.which(f"python{PYTHON}")
    if found is None:
        return None
    tried = subprocess.run([found, "-c", ""], capture_output=True, check=False)  # noqa: S603  # a name of ours
    return found if tried.returncode == 0 else None
