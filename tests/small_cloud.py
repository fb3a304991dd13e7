"""A small cloud assembly, written by hand, and the parts of the laptop cloud that run it."""

import asyncio
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from local.assembly import Assembly
from local.lambdas import HostSettings, LambdaHost
from local.permissions.gate import Gate
from local.permissions.grants import Grants
from local.ports import HOST, free_port, is_answering
from local.resources import Address, Function, Places

PLACES = Places("http://127.0.0.1:8080", "http://127.0.0.1:9001", Address(HOST, 5433), Address(HOST, 6380))
REPOSITORY = Path(__file__).resolve().parents[1]

Template = Mapping[str, Any]
Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work` in an event loop of its own."""
    return asyncio.run(work)


def write_assembly(
    folder: Path, stacks: Mapping[str, Template], after: Mapping[str, list[str]] | None = None
) -> Path:
    """Write the templates (stack name → template) as `cdk synth` would; `after` are dependencies of stacks."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = {}
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "dependencies": (after or {}).get(name, []),
            "properties": {"templateFile": f"{name}.template.json"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def add_asset(folder: Path, key: str, files: Mapping[str, str]) -> None:
    """Put an unpacked file asset into the assembly; its S3 key is `<key>.zip`."""
    for name, text in files.items():
        path = folder / f"asset.{key}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    manifest = {"files": {key: {"source": {"path": f"asset.{key}", "packaging": "zip"}}}}
    (folder / f"{key}.assets.json").write_text(json.dumps(manifest))


def read(folder: Path, **resources: Template) -> Assembly:
    """The assembly of one stack `main` with these resources (logical id → resource)."""
    return Assembly.read(write_assembly(folder, {"main": {"Resources": resources}}), PLACES)


def function(folder: Path, name: str, code: str, **options: Any) -> Function:
    """A function whose module `app` holds `code`, which defines `handler`."""
    root = folder / "code" / name
    root.mkdir(parents=True, exist_ok=True)
    (root / "app.py").write_text(textwrap.dedent(code))
    values: dict[str, Any] = {"layers": (), "environment": {}, "timeout": 10.0, "memory": 128} | options
    return Function(name=name, handler="app.handler", code=root, **values)


@asynccontextmanager
async def hosted(
    state: Path, functions: Iterable[Function], gate: Gate | None = None, **settings: Any
) -> AsyncIterator[LambdaHost]:
    """A running Lambda host; with a gate, functions may do what their roles may."""
    values: dict[str, Any] = {"aws_url": PLACES.aws_url, "port": free_port(), "preload": ("json",)} | settings
    host = LambdaHost({item.name: item for item in functions}, HostSettings(state=state, **values), gate)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


@contextmanager
def emulator(
    folder: Path, lambda_port: int, grants: Grants | None = None, port: int | None = None
) -> Iterator[str]:
    """A running AWS emulator that sends Lambda tasks to `lambda_port`; its URL. It denies what is not in `grants`."""
    port = port or free_port()
    words = ["--port", str(port), "--lambda-host", f"{HOST}:{lambda_port}", "--mails", str(folder / "mails")]
    if grants is not None:
        grants.save(folder / "permissions.json")
        words += ["--permissions", str(folder / "permissions.json"), "--denied", str(folder / "denied.jsonl")]
    with (folder / "aws.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.aws", *words], cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 60
        while not is_answering(port):
            assert process.poll() is None, (folder / "aws.log").read_text()
            assert time.monotonic() < deadline, "the emulator did not start"
            time.sleep(0.05)
        yield f"http://{HOST}:{port}"
    finally:
        process.kill()
        process.wait()
