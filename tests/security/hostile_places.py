"""Where a hostile value can stand: every parameter and every field of every operation of the OpenAPI document."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from tests.security import hostile_values as values

Json = dict[str, Any]
DOCUMENT: Json = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Place:
    """A field of a body, by the keys that lead to it, or a parameter of path or query."""

    where: str
    keys: tuple[str | int, ...]
    schema: Json

    @property
    def name(self) -> str:
        """As an answer names it."""
        return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys).lstrip(".")

    def values(self) -> tuple[Any, ...]:
        """The hostile values of its kind; each is a text where it stands in a URL."""
        if self.where == "path":
            return values.PATH_PARTS
        if self.where == "query":
            return values.CURSORS if self.name == "cursor" else values.QUERIES
        return (*self._by_kind(), *values.OTHER_TYPES)

    def is_right(self, value: Any) -> bool:
        """Whether the document allows the value here; None and NaN of JSON's makers are told apart elsewhere."""
        if isinstance(value, values.Raw):
            return True  # what cannot be written in Python: the server says
        return bool(_validator(self.schema).is_valid(value))

    def put(self, body: Any, value: Any) -> Any:
        """A copy of the body with the value here."""
        changed = copy.deepcopy(body)
        inner = changed
        for key in self.keys[:-1]:
            inner = inner[key]
        inner[self.keys[-1]] = value
        return changed

    def _by_kind(self) -> tuple[Any, ...]:
        kinds = {option.get("type") for option in _options(self.schema)}
        formats = [
            option["format"] for option in _options(self.schema) if option.get("format") in values.WORDS
        ]
        if formats:
            return values.WORDS[formats[0]]
        if "integer" in kinds:
            return values.NUMBERS
        if "number" in kinds:
            return values.AMOUNTS
        if "string" in kinds:
            return (*values.TEXTS, *values.UNSTORABLE, *values.ONE_LINE_ONLY, *values.BLANK, *values.LONG)
        return values.TEXTS[:4]


@dataclass(frozen=True)
class Operation:
    """A method and a path of the document."""

    method: str
    path: str
    described: Json

    @property
    def row(self) -> str:
        """As the authorization matrix names it."""
        return f"{self.method} {self.path}"

    @property
    def takes_body(self) -> bool:
        """Whether a body belongs to it."""
        return "requestBody" in self.described

    def parameters(self) -> list[Place]:
        """Its parameters of path and query."""
        found = [resolved(parameter) for parameter in self.described["parameters"]]
        return [Place(p["in"], (p["name"],), p["schema"]) for p in found if p["in"] in ("path", "query")]

    def fields(self, body: Any) -> list[Place]:
        """The fields of a body like this one, those that it leaves out as well."""
        if not self.takes_body or not isinstance(body, dict):
            return []
        schema = self.described["requestBody"]["content"]["application/json"]["schema"]
        return list(_fields(resolved(schema), body, ()))

    def complaints(self, status: int, body: Any) -> str | None:
        """What is wrong with an answer, held against the document; None if nothing is."""
        response = self.described["responses"].get(str(status))
        if response is None:
            return f"{status} is not in the document"
        content = resolved(response).get("content", {}).get("application/json")
        if content is None or body is None:
            return None
        error = next(_validator(content["schema"]).iter_errors(body), None)
        return None if error is None else f"{status}: {error.message[:300]}"


def operations() -> list[Operation]:
    """All there are."""
    methods = ("get", "post", "put", "patch", "delete")
    return [
        Operation(method.upper(), path, described)
        for path, item in DOCUMENT["paths"].items()
        for method, described in item.items()
        if method in methods
    ]


def resolved(schema: Json) -> Json:
    """What a reference stands for."""
    while "$ref" in schema:
        found: Any = DOCUMENT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _options(schema: Json) -> list[Json]:
    schema = resolved(schema)
    return [resolved(option) for option in schema.get("anyOf", [schema])]


def _fields(schema: Json, body: Json, keys: tuple[str | int, ...]) -> Iterator[Place]:
    for name, described in schema.get("properties", {}).items():
        here, inside = (*keys, name), body.get(name)
        yield Place("body", here, described)
        for option in _options(described):
            if isinstance(inside, dict):
                yield from _fields(option, inside, here)
            elif isinstance(inside, list) and inside and option.get("type") == "array":
                item = resolved(option["items"])
                yield Place("body", (*here, 0), item)
                if isinstance(inside[0], dict):
                    yield from _fields(item, inside[0], (*here, 0))


def _validator(schema: Json) -> Draft202012Validator:
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker(("uuid", "date")))
