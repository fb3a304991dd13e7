"""Lambda's kind of machine on this one: its Python for arm64, as Debian builds it, run by QEMU on other processors.

    python -m tests.infrastructure.runtime      # `make runtime`; says what it saw

The layer of third-party packages is installed and compiled as a deployment does it, each function's zip is imported
under its layers, and the libraries that are no Python do a piece of their work.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from cdk import dependencies
from tests.infrastructure.bare import IMPORT_ALL
from tests.infrastructure.synthesis import synthesized
from tests.infrastructure.template import ROOT

RELEASE = "trixie"
"""The Debian whose Python is the runtime's."""
_PYTHON = (f"python{dependencies.PYTHON}-minimal:arm64", f"libpython{dependencies.PYTHON}-stdlib:arm64")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FOLDER = ROOT / "build" / f"lambda-python-{RELEASE}"

WORK = """
import io, platform, socket, sys
import argon2, jwt, psycopg2, pydantic, qrcode, redis, sendgrid, stripe
import paypalserversdk.paypal_serversdk_client
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jinja2.sandbox import ImmutableSandboxedEnvironment
from PIL import Image

hasher = argon2.PasswordHasher()
assert hasher.verify(hasher.hash("correct horse"), "correct horse")
key = Ed25519PrivateKey.generate()
assert jwt.decode(jwt.encode({"sub": "ada"}, key, "EdDSA"), key.public_key(), ["EdDSA"]) == {"sub": "ada"}
picture = io.BytesIO()
qrcode.make("BO1.key.ticket.signature").save(picture)
pixels = Image.open(picture).convert("RGB")
for format in ("JPEG", "PNG", "WEBP"):
    again = io.BytesIO()
    pixels.save(again, format)
    assert Image.open(again).size == pixels.size, format
assert ImmutableSandboxedEnvironment(autoescape=True).from_string("{{ a }}").render(a="<b>") == "&lt;b&gt;"
assert pydantic.TypeAdapter(list[int]).validate_json("[1, 2]") == [1, 2]
with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    try:
        psycopg2.connect(host="127.0.0.1", port=unused.getsockname()[1], connect_timeout=2)
    except psycopg2.OperationalError as refused:
        assert "refused" in str(refused)
    else:
        raise AssertionError("nobody listens there")
assert jwt.__cached__.endswith(".pyc")
print(platform.python_version(), platform.machine())
"""


def main() -> None:
    """Do it, and say what was seen."""
    os.environ["PATH"] = f"{_python().parent}:{os.environ['PATH']}"
    print("Installing the layer, and compiling it (two minutes, the first time only) ...", file=sys.stderr)
    layer = dependencies.installed_dependencies()
    assert layer is not None, "the packages could not be installed"
    size = sum(file.stat().st_size for file in layer.rglob("*") if file.is_file())
    compiled = sum(1 for _ in layer.rglob("*.pyc"))
    system = synthesized("dev")
    ours, *_ = [each for each in system.of_type("AWS::Lambda::LayerVersion") if "Shared" in each.id]
    zips = [
        (str(system.folder / f.zip), handler.removesuffix(".handler"))
        for handler, f in system.functions.items()
    ]
    layers = [system.folder / ours.zip / "python", layer / "python"]
    print(f"Importing {len(zips)} functions ...", file=sys.stderr)
    began = time.monotonic()
    _run(IMPORT_ALL, layers, json.dumps(zips))
    seconds = time.monotonic() - began
    where = _run(WORK, layers)
    print(f"{where}: {len(zips)} functions were imported ({seconds:.0f} s), all libraries work;")
    print(f"the layer has {compiled} compiled modules and {size / 1e6:.0f} MB, unpacked.")


def _run(program: str, layers: list[Path], given: str = "") -> str:
    """What the program prints."""
    done = subprocess.run(
        [f"python{dependencies.PYTHON}", "-P", "-c", program],
        input=given,
        cwd=layers[0],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(map(str, layers)),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"the runtime's Python says no:\n{done.stderr}")
    return done.stdout.strip()


def _python() -> Path:
    """A program of the name that the interpreter has; a folder that is there has all of it."""
    program = _FOLDER / "bin" / f"python{dependencies.PYTHON}"
    if not program.exists():
        print(
            "Fetching Lambda's Python from Debian into build/ (100 MB, the first time only) ...",
            file=sys.stderr,
        )
        _fetch()
        (_FOLDER / "lib").symlink_to("usr/lib")  # where programs for arm64 look for their loader
        inside = f'"{_FOLDER}/usr/bin/python{dependencies.PYTHON}"'
        loader = (
            f'"{_FOLDER}/usr/lib/ld-linux-aarch64.so.1" --library-path "{_FOLDER}/usr/lib/aarch64-linux-gnu"'
        )
        emulator = f'"{_FOLDER}/usr/bin/qemu-aarch64" -L "{_FOLDER}"'
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {loader if _is_arm() else emulator} {inside} "$@"\n')
        program.chmod(0o755)
    return program


def _fetch() -> None:
    """By apt, which verifies what it gets; in folders of its own, so that this machine's packages stay as they are."""
    mirror = _output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    if not mirror or not Path(_KEYS).exists():
        sys.exit("This needs Debian's apt and its keyring: run `apt-get update` on a Debian first.")
    apt = _FOLDER / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={_KEYS}] {mirror[0]} {RELEASE} main\n")
    options = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Architectures": "" if _is_arm() else "amd64,arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
    }
    command = [
        "apt-get",
        "-qq",
        *(word for name, value in options.items() for word in ("-o", f"{name}={value}")),
    ]
    _output(*command, "update")
    wanted = _PYTHON if _is_arm() else (*_PYTHON, "qemu-user:amd64")
    _output(*command, "--yes", "--download-only", "install", *wanted)
    for package in (apt / "cache" / "archives").glob("*.deb"):
        if _is_arm() or "_arm64" in package.name or package.name.startswith("qemu-user_"):
            _output("dpkg-deb", "-x", str(package), str(_FOLDER))


def _is_arm() -> bool:
    return platform.machine() == "aarch64"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit(f"{command[0]} is missing: this needs Debian's apt.")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{command[0]} failed:\n{failed.stderr}")


if __name__ == "__main__":
    main()
