"""A front end's client, generated from the document, buys a ticket knowing nothing but the document's types."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.laptop import REPOSITORY, Laptop

SOURCES = REPOSITORY / "tests/contracts/typescript"
NODE_MODULES = REPOSITORY / "node_modules"


def node(folder: Path, *command: str | Path, seconds: int = 200) -> str:
    """What a Node program says; fails with that if it does not end well."""
    done = subprocess.run(
        ["node", *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TypeScript project with a client generated from the document that the running API serves."""
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "openapi.json").write_bytes(laptop.client.get("/api/openapi.json").content)
    generator = NODE_MODULES / "openapi-typescript/bin/cli.js"
    node(folder, generator, "openapi.json", "--default-non-nullable=false", "-o", "api.d.ts")
    node(folder, NODE_MODULES / "typescript/bin/tsc", "-p", ".", "--outDir", "built")
    return folder


def test_a_ticket_is_bought_used_and_refunded_by_a_generated_client(laptop: Laptop, project: Path) -> None:
    said = node(project, "built/journey.js", laptop.url)

    assert said.splitlines()[-1] == "done"


def test_the_journey_has_no_type_that_it_made_up() -> None:
    source = (SOURCES / "journey.ts").read_text()

    assert not re.search(r"\bany\b|\bunknown\b|@ts-ignore", re.sub(r"//.*", "", source))
