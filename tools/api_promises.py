"""What callers may rely on: the API's shape in lines, kept in docs/api-promises.txt, and what would break them.

`make snapshot` accepts a change. One that breaks callers is accepted only together with another version in the
OpenAPI document: a route that is gone, a field that an answer no longer has, something new that a request needs.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
PROMISES = ROOT / "docs" / "api-promises.txt"
METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH = 8

Json = dict[str, Any]


def promises(document: Json) -> set[str]:
    """A line for the version, each operation, and what it takes, needs and gives."""
    lines = {f"version {document['info']['version']}"}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                name = f"{method.upper()} {path}"
                lines |= {name, *(f"{name} {line}" for line in _operation(document, operations[method]))}
    return lines


def breaking(before: set[str], after: set[str]) -> list[str]:
    """What would break those who call it as it was; nothing does under a version that is new."""
    if _version(before) != _version(after):
        return []
    operations = {line for line in before if line.count(" ") == 1}
    gone = [f"no longer: {line}" for line in before - after if " needs " not in line]
    asked = [f"newly: {line}" for line in after - before if " needs " in line and _of(line) in operations]
    return sorted(gone + asked)


def kept() -> set[str]:
    """The promises as they are committed."""
    return set(PROMISES.read_text().splitlines())


def main() -> None:
    """Accept the document as it is, unless that breaks a promise."""
    new = promises(json.loads(DOCUMENT.read_text()))
    broken = breaking(kept(), new) if PROMISES.exists() else []
    if broken:
        sys.exit("\n".join([*broken, "This breaks callers: give the OpenAPI document another version."]))
    PROMISES.write_text("\n".join(sorted(new)) + "\n")


def _version(lines: set[str]) -> str:
    return next(line for line in lines if line.startswith("version "))


def _of(line: str) -> str:
    return " ".join(line.split(" ")[:2])


def _operation(document: Json, operation: Json) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        parameter = _resolved(document, parameter)
        name = f"{parameter['in']}:{parameter['name']}"
        yield f"takes {name}"
        if parameter.get("required"):
            yield f"needs {name}"
    body = _schema(_resolved(document, operation.get("requestBody", {})))
    for field, required in _fields(document, body, "body"):
        yield f"takes {field}"
        if required:
            yield f"needs {field}"
    for status, answer in operation["responses"].items():
        if status < "400":
            yield f"gives {status}"
            for field, _ in _fields(document, _schema(_resolved(document, answer)), "body"):
                yield f"gives {status} {field}"


def _schema(holder: Json) -> Json:
    schema: Json = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(document: Json, schema: Json, path: str, *, needed: bool = True) -> Iterator[tuple[str, bool]]:
    """Every field however deep, and whether a sender must give it wherever what holds it is given at all."""
    schema = _resolved(document, schema)
    if path.count(".") > _DEPTH:
        return
    for alternative in schema.get("allOf", []):
        yield from _fields(document, alternative, path, needed=needed)
    for alternative in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from _fields(document, alternative, path, needed=False)
    if "items" in schema:
        yield from _fields(document, schema["items"], f"{path}[]", needed=needed)
    for name, inner in schema.get("properties", {}).items():
        required = needed and name in schema.get("required", [])
        yield f"{path}.{name}", required
        yield from _fields(document, inner, f"{path}.{name}", needed=needed)


def _resolved(document: Json, value: Json) -> Json:
    while "$ref" in value:
        value = document["components"][value["$ref"].split("/")[2]][value["$ref"].split("/")[3]]
    return value


if __name__ == "__main__":
    main()
