"""Write the OpenAPI document from what the routes declare: `make openapi`.

The Lambda that serves the document has none of the services' code, so it is made here and committed.
"""

import importlib
import inspect
import json
import re
import types
import typing
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Header, Param
from pydantic import BaseModel, TypeAdapter
from pydantic.alias_generators import to_camel

from shared.api import Api, Declared, Work
from shared.database import Sql
from shared.identity import Role, User
from shared.requests import RawRequest
from tools import openapi_components as components
from tools.openapi_components import Json

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "functions/platform/openapi.json"

_INJECTED = (User, Sql, Work, RawRequest)
_Mode = Literal["validation", "serialization"]
_Key = tuple[str, str]  # operation, and which of its schemas

# What a provider signs its call with.
_SIGNATURES = {"stripe_webhook": "Stripe-Signature"}

# Statuses that neither a route's access nor its names tell.
_ALSO = {
    "login": ["401", "403"],
    "refresh": ["401"],
    "check_in": ["404"],  # a ticket of another organizer's event
    "create_template": ["200"],  # one that was there before
}

# Answers that are not JSON of a model.
_FILES = {
    "ticket_qr": ("image/png", {"type": "string", "contentMediaType": "image/png"}),
    "docs": ("text/html", {"type": "string"}),
    "openapi": ("application/json", {"type": "object"}),
}


class _Operation:
    """A route, taken apart: its parameters, body and answer by their types."""

    def __init__(self, file: Path, declared: Declared) -> None:
        self.service, self.declared = file.parts[-3], declared
        self.id = declared.function.__name__
        module = importlib.import_module(_module(file))
        self.summary = _summary(module.__doc__ or "")
        self.description = inspect.getdoc(declared.function)
        hints = typing.get_type_hints(declared.function, include_extras=True)
        self.answers = _models(hints.pop("return", None))
        self.raw = RawRequest in hints.values()
        self.body: Any = None
        self.parameters: dict[str, tuple[Any, inspect.Parameter]] = {}
        for name, parameter in inspect.signature(declared.function).parameters.items():
            kind = hints[name]
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                self.body = kind
            elif kind not in _INJECTED:
                self.parameters[name] = (kind, parameter)

    def wanted(self) -> list[tuple[_Key, _Mode, TypeAdapter[Any]]]:
        """The schemas that the document needs for it."""
        kinds: list[tuple[str, _Mode, Any]] = [
            (name, "validation", kind) for name, (kind, _) in self.parameters.items()
        ]
        if self.body is not None:
            kinds.append(("body", "validation", self.body))
        kinds += [("answer", "serialization", answer) for answer in self.answers[:1]]
        return [((self.id, name), mode, TypeAdapter(kind)) for name, mode, kind in kinds]

    def describe(self, schemas: dict[_Key, Json]) -> Json:
        """The operation as the document shows it."""
        declared = self.declared
        operation: Json = {"operationId": self.id, "tags": [self.service], "summary": self.summary}
        if self.description:
            operation["description"] = self.description
        operation["security"] = [] if declared.access == "public" else [{"bearer": []}]
        if isinstance(declared.access, Role):
            operation["x-role"] = str(declared.access)
        operation["parameters"] = self._parameters(schemas)
        body = schemas.get((self.id, "body"), {"type": "object"} if self._takes_raw_body() else None)
        if body is not None:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        operation["responses"] = self._responses(schemas)
        return operation

    def _takes_raw_body(self) -> bool:
        return self.raw and self.body is None and self.declared.method == "POST"

    def _parameters(self, schemas: dict[_Key, Json]) -> list[Json]:
        shown: list[Json] = [{"$ref": "#/components/parameters/ApiVersion"}]
        for name, (kind, parameter) in self.parameters.items():
            schema = dict(schemas[self.id, name])
            schema.pop("title", None)
            mark = next((mark for mark in typing.get_args(kind) if isinstance(mark, Param)), None)
            wire = (mark.alias if mark else None) or to_camel(name)
            is_header = isinstance(mark, Header)
            place = "path" if f"{{{wire}}}" in self.declared.path else "header" if is_header else "query"
            if parameter.default is not parameter.empty and parameter.default is not None:
                schema["default"] = parameter.default
            shown.append(
                {
                    "name": wire,
                    "in": place,
                    "required": parameter.default is parameter.empty,
                    "schema": schema,
                }
            )
        if self.id in _SIGNATURES:
            signature = {"name": _SIGNATURES[self.id], "in": "header", "required": True}
            shown.append(signature | {"schema": {"type": "string"}})
        if self.declared.idempotent is not None:
            shown.append(components.idempotency_key(required=self.declared.idempotent == "required"))
        return shown

    def _responses(self, schemas: dict[_Key, Json]) -> Json:
        success = self._success(schemas)
        statuses = sorted({*self._errors(), *_ALSO.get(self.id, [])})
        return {str(self.declared.status): success} | {
            status: success if status < "300" else {"$ref": f"#/components/responses/{status}"}
            for status in statuses
        }

    def _success(self, schemas: dict[_Key, Json]) -> Json:
        headers = dict(components.EVERY_ANSWER)
        if self.declared.idempotent is not None:
            headers["Idempotency-Replayed"] = {"$ref": "#/components/headers/Replayed"}
        success: Json = {"description": self.summary, "headers": headers}
        if self.id in _FILES:
            kind, schema = _FILES[self.id]
            success["content"] = {kind: {"schema": schema}}
        elif (self.id, "answer") in schemas:
            success["content"] = {"application/json": {"schema": schemas[self.id, "answer"]}}
        return success

    def _errors(self) -> list[str]:
        declared, errors = self.declared, ["400"]
        if declared.access != "public":
            errors.append("401")
        if isinstance(declared.access, Role):
            errors.append("403")
        if self._names_something():
            errors.append("404")
        if declared.method != "GET":
            errors.append("409")
        if self.body is not None:
            errors.append("413")
        return [*errors, "429", "500", "503", "504"]

    def _names_something(self) -> bool:
        """Whether the request holds an id, of which there may be nothing."""
        kinds = [kind for kind, _ in self.parameters.values()]
        kinds += [field.annotation for field in self.body.model_fields.values()] if self.body else []
        return any(kind is UUID or UUID in typing.get_args(kind) for kind in kinds)


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    operations = [_Operation(file, declared) for file in _route_files() for declared in _api(file).declared]
    wanted = [schema for operation in operations for schema in operation.wanted()]
    found, definitions = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")
    schemas = {key: schema for (key, _), schema in found.items()}
    paths: dict[str, Json] = {}
    for operation in sorted(operations, key=lambda o: (_rank(o.service), o.declared.path)):
        paths.setdefault(operation.declared.path, {})[operation.declared.method.lower()] = operation.describe(
            schemas
        )
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Box Office", "version": "1", "description": components.DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": components.TAGS,
        "paths": paths,
        "components": {
            "schemas": {"Error": components.ERROR, **_sorted(definitions.get("$defs", {}))},
            "parameters": components.PARAMETERS,
            "headers": components.HEADERS,
            "responses": components.RESPONSES,
            "securitySchemes": components.SECURITY,
        },
    }
    return typing.cast(Json, _renamed(whole))


def as_text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _route_files() -> list[Path]:
    return sorted(
        file for file in (ROOT / "functions").glob("*/routes/*.py") if not file.name.startswith("__")
    )


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def _api(file: Path) -> Api:
    api = importlib.import_module(_module(file)).api
    assert isinstance(api, Api)
    return api


def _models(kind: Any) -> list[Any]:
    """The models that a route may return; other members of a union say status or type, not shape."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else [kind]
    return [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]


def _summary(docstring: str) -> str:
    """`POST /api/tickets/reserve: hold seats …` → `Hold seats …`."""
    text = docstring.split("\n", 1)[0].split(": ", 1)[-1].strip().rstrip(".")
    return text[:1].upper() + text[1:]


def _rank(service: str) -> int:
    return [tag["name"] for tag in components.TAGS].index(service)


def _sorted(definitions: Json) -> Json:
    return {name: definitions[name] for name in sorted(definitions, key=_readable)}


def _renamed(value: Any) -> Any:
    """Pydantic's names for what has no name of its own, made readable: `Page_Event_` → `EventPage`."""
    if isinstance(value, dict):
        return {_readable(key): _renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if isinstance(value, str) and value.startswith("#/components/schemas/"):
        return "#/components/schemas/" + _readable(value.rsplit("/", 1)[-1])
    return value


def _readable(name: str) -> str:
    page = re.fullmatch(r"Page_(.+)_", name)
    if page:
        return f"{_readable(page[1])}Page"
    nested = re.fullmatch(r"functions__(\w+?)__.*__(\w+)", name)
    return f"{nested[1].title()}{nested[2]}" if nested else name


if __name__ == "__main__":
    TARGET.write_text(as_text())
