"""What the type checker follows: all that we import of the CDK, whose types for the rest of AWS would take minutes."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]


def sources() -> Iterator[Path]:
    for name in MYPY["files"]:
        path = ROOT / name
        yield from [path] if path.is_file() else path.rglob("*.py")


def imported(file: Path) -> Iterator[str]:
    """The modules of the CDK that a file imports. A name in lower case is a module's, one in upper case a class's."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "aws_cdk":
                yield from (f"aws_cdk.{name.name}" for name in node.names if name.name[0].islower())


def test_every_module_of_the_cdk_that_is_imported_is_type_checked() -> None:
    (followed,) = (set(o["module"]) for o in MYPY["overrides"] if o.get("follow_imports") == "normal")

    ours = {module for file in sources() for module in imported(file) if module.startswith("aws_cdk")}

    assert "aws_cdk.aws_lambda" in ours
    assert ours == followed - {"aws_cdk.interfaces.*"}, "see [tool.mypy.overrides] in pyproject.toml"
