"""The layer's bytecode: the same from the same sources, named as Lambda names it, and used whatever time a file has."""

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdk import dependencies
from cdk.dependencies import compile_packages


def package(folder: Path) -> Path:
    (folder / "library").mkdir(parents=True)
    (folder / "library" / "__init__.py").write_text("def answer():\n    return 42\n")
    return folder


def bytecode(folder: Path) -> bytes:
    (file,) = folder.rglob("*.pyc")
    return file.read_bytes()


def test_two_builds_in_different_folders_at_different_times_are_the_same(tmp_path: Path) -> None:
    first, second = package(tmp_path / "first"), package(tmp_path / "somewhere" / "else")
    os.utime(second / "library" / "__init__.py", (1, 1))

    for folder in (first, second):
        compile_packages(folder, sys.executable)

    assert bytecode(first) == bytecode(second)
    assert marshal.loads(bytecode(first)[16:]).co_filename == "/opt/python/library/__init__.py"


def test_it_is_used_though_the_source_is_of_another_time(tmp_path: Path) -> None:
    folder = package(tmp_path)
    compile_packages(folder, sys.executable)
    os.utime(folder / "library" / "__init__.py", (1, 1))

    said = subprocess.run(
        [sys.executable, "-v", "-c", "import library; print(library.answer())"],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == "42\n"
    taken = [
        line for line in said.stderr.splitlines() if line.endswith(f" matches {folder}/library/__init__.py")
    ]
    assert len(taken) == 1


def test_an_interpreter_that_compiles_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        compile_packages(package(tmp_path), "/bin/false")


@pytest.mark.parametrize(("code", "runs"), [("exit 0", True), ("exit 127", False)])
def test_an_interpreter_of_the_runtime_s_version_that_does_not_run_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, runs: bool
) -> None:
    shim = tmp_path / "python9.9"
    shim.write_text(f"#!/bin/sh\n{code}\n")
    shim.chmod(0o755)
    monkeypatch.setattr(dependencies, "PYTHON", "9.9")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert dependencies._runtime_s_python() == (str(shim) if runs else None)
