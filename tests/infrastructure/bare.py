"""A function's code as Lambda sees it: its zip, its layers, and nothing else of this machine but Python itself."""

import contextlib
import hashlib
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

from tests.infrastructure.template import ROOT

REQUIREMENTS = ROOT / "layers" / "shared" / "requirements.txt"

# Each [folder, module] of the list on its standard input, in one process, after the modules of the one before are
# forgotten: what a zip lacks is not found elsewhere.
IMPORT_ALL = """
import importlib, json, sys
for folder, module in json.load(sys.stdin):
    sys.path.insert(0, folder)
    assert callable(importlib.import_module(module).handler), module
    sys.path.remove(folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "functions"]:
        del sys.modules[name]
    importlib.invalidate_caches()
"""


def third_party() -> Path:
    """The packages of the layer's lock file for this machine, linked into a folder from where they are installed.

    An AssertionError where the virtual environment has another version than the lock file.
    """
    lock = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = ROOT / "build" / f"third-party-{lock}"
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", REQUIREMENTS.read_text(), re.M):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        assert distribution.version == version, f"{name} is {distribution.version} here: run `make install`"
        _link(distribution, unfinished)
    with contextlib.suppress(OSError):  # another process was faster
        unfinished.rename(folder)
    return folder


def _link(distribution: importlib.metadata.Distribution, folder: Path) -> None:
    for file in distribution.files or []:
        source = Path(str(file.locate()))
        if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
            continue
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():  # two packages ship tests of the same name
            target.symlink_to(source)
