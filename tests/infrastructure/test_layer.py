"""The layer of third-party packages as it is deployed: installed for Lambda's processor from the lock."""

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk import dependencies

# Bytes of a function with its layers, unpacked.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST = 250_000_000
AARCH64 = 183  # e_machine in the header of an ELF file


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The layer, built twice as a deployment builds it, in folders of their own."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("here", "there"):
            patch.setattr(dependencies, "ROOT", tmp_path_factory.mktemp(name))
            folder = dependencies.installed_dependencies.__wrapped__()
            assert folder is not None, "the packages could not be installed"
            found.append(folder)
        yield found


def test_two_builds_of_the_layer_are_the_same(builds: list[Path]) -> None:
    here, there = map(contents, builds)
    assert len(here) > 500
    assert here == there


def test_no_package_writes_over_another(builds: list[Path]) -> None:
    packed = Counter(
        line.split(",")[0] for record in builds[0].rglob("*.dist-info/RECORD") for line in record.open()
    )
    assert len(packed) > 500
    assert [
        file for file, times in packed.items() if times > 1 and (builds[0] / "python" / file).exists()
    ] == []


def test_the_layer_is_for_lambda_s_processor(builds: list[Path]) -> None:
    libraries = [file for file in builds[0].rglob("*.so*") if file.is_file()]
    assert len(libraries) > 10
    for library in libraries:
        magic, machine = struct.unpack_from("<4s14xH", library.read_bytes()[:20])
        assert (magic, machine) == (b"\x7fELF", AARCH64), library.name


def test_the_layer_leaves_room_for_a_function(builds: list[Path]) -> None:
    assert sum(file.stat().st_size for file in builds[0].rglob("*") if file.is_file()) < LARGEST * 0.8


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
