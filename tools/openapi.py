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

from aws_lambda_powertools.event_handler.openapi.params import Header, Param
from pydantic import BaseModel, TypeAdapter
from pydantic.alias_generators import to_camel

from shared.api import Api, Declared, Work
from shared.database import Sql
from shared.identity import Role, User
from shared.requests import RawRequest
from tools import openapi_components as components
from tools.openapi_components import Json
from tools.openapi_errors import errors_of
from tools.openapi_examples import Examples
from tools.openapi_links import links_of

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "functions/platform/openapi.json"

_INJECTED = (User, Sql, Work, RawRequest)
_Mode = Literal["validation", "serialization"]
_Key = tuple[str, str]  # operation, and which of its schemas

# What a provider signs its call with.
_SIGNATURES = {
    "paypal_webhook": [
        "PayPal-Transmission-Id",
        "PayPal-Transmission-Time",
        "PayPal-Transmission-Sig",
        "PayPal-Cert-Url",
        "PayPal-Auth-Algo",
    ],
    "sendgrid_webhook": [
        "X-Twilio-Email-Event-Webhook-Signature",
        "X-Twilio-Email-Event-Webhook-Timestamp",
    ],
    "stripe_webhook": ["Stripe-Signature"],
}

# Another success than the usual one: a template that was there before.
_ALSO = {"create_template": "200"}

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

    def describe(self, shared: "_Shared") -> Json:
        """The operation as the document shows it."""
        declared = self.declared
        operation: Json = {"operationId": self.id, "tags": [self.service], "summary": self.summary}
        operation["description"] = self.description or self.summary
        operation["security"] = [] if declared.access == "public" else [{"bearer": []}]
        if isinstance(declared.access, Role):
            operation["x-role"] = str(declared.access)
        operation["parameters"] = self._parameters(shared)
        if self._takes_body():
            operation["requestBody"] = {"required": True, "content": {components.JSON: self._body(shared)}}
        operation["responses"] = self._responses(shared)
        return operation

    def _takes_body(self) -> bool:
        return self.body is not None or (self.raw and self.declared.method == "POST")

    def _body(self, shared: "_Shared") -> Json:
        schema = shared.schemas.get((self.id, "body"))
        if schema is None:
            return {"schema": {"type": ["object", "array"]}, "example": components.PROVIDER_EVENT}
        return {"schema": schema, "example": shared.samples.of(schema)}

    def _parameters(self, shared: "_Shared") -> list[Json]:
        shown: list[Json] = [{"$ref": "#/components/parameters/ApiVersion"}]
        shown += [self._parameter(name, shared) for name in self.parameters]
        if self.id in _SIGNATURES:
            shown += [components.signature(name) for name in _SIGNATURES[self.id]]
        if self.declared.idempotent is not None:
            shown.append(components.idempotency_key(required=self.declared.idempotent == "required"))
        return shown

    def _parameter(self, name: str, shared: "_Shared") -> Json:
        kind, parameter = self.parameters[name]
        schema = dict(shared.schemas[self.id, name])
        schema.pop("title", None)
        mark = next((mark for mark in typing.get_args(kind) if isinstance(mark, Param)), None)
        wire = (mark.alias if mark else None) or to_camel(name)
        is_header = isinstance(mark, Header)
        if is_header:
            wire = "-".join(
                word.capitalize() for word in wire.split("-")
            )  # the resolver knows it in lower case
        place = "path" if f"{{{wire}}}" in self.declared.path else "header" if is_header else "query"
        if parameter.default is not parameter.empty and parameter.default is not None:
            schema["default"] = parameter.default
        required = parameter.default is parameter.empty
        shown: Json = {"name": wire, "in": place, "required": required, "schema": schema}
        shown |= components.PARAMETER_HELP.get(wire, {})
        if required:
            shown["example"] = shared.samples.of_parameter(wire, schema, self.declared.path)
        return shown

    def _responses(self, shared: "_Shared") -> Json:
        success = self._success(shared)
        responses = {str(self.declared.status): success}
        if self.id in _ALSO:
            responses[_ALSO[self.id]] = success
        return responses | {
            status: shared.response(status, said) for status, said in sorted(self.errors().items())
        }

    def _success(self, shared: "_Shared") -> Json:
        headers = dict(components.EVERY_ANSWER)
        if self.declared.idempotent is not None:
            headers["Idempotency-Replayed"] = {"$ref": "#/components/headers/Replayed"}
        if self.declared.status == 303:
            headers["Location"] = {"description": "Where it is, for a while", "schema": {"type": "string"}}
        success: Json = {"description": self.summary, "headers": headers}
        if self.id in _FILES:
            kind, schema = _FILES[self.id]
            success["content"] = {kind: {"schema": schema}}
        elif (self.id, "answer") in shared.schemas:
            schema = shared.schemas[self.id, "answer"]
            success["content"] = {components.JSON: {"schema": schema, "example": shared.samples.of(schema)}}
        links = links_of(self.id, shared.operations)
        return success | ({"links": links} if links else {})

    def errors(self) -> dict[str, components.Said]:
        """Status → codes: of what stands around every route, and of what this one raises."""
        found = self._usual_errors()
        for error in sorted(errors_of(self.declared.function), key=lambda e: (e.status, e.code, e.__name__)):
            field = "limit" if error.code == "VALIDATION_ERROR" else None
            found.setdefault(str(error.status), {}).setdefault(error.code, (error.message, field))
        return found

    def _usual_errors(self) -> dict[str, components.Said]:
        declared = self.declared
        down = components.DOWN | ({} if declared.during_maintenance else components.CLOSED)
        found = {
            "400": components.INPUT | components.VERSION,
            "429": dict(components.TOO_OFTEN),
            "500": dict(components.BROKEN),
            "503": down,
            "504": dict(components.LATE),
        }
        if declared.access != "public":
            found["401"] = dict(components.NO_TOKEN)
        if isinstance(declared.access, Role):
            found["403"] = dict(components.NO_ROLE)
        if declared.idempotent is not None:
            found["409"] = dict(components.USED_KEY)
        if self._takes_body():
            found["413"] = dict(components.TOO_LARGE)
        return found


class _Shared:
    """What operations share: schemas, examples, and responses that are the same for many."""

    def __init__(self, operations: list[_Operation]) -> None:
        wanted = [schema for operation in operations for schema in operation.wanted()]
        found, definitions = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")
        self.schemas: dict[_Key, Json] = _renamed({key: schema for (key, _), schema in found.items()})
        self.definitions: Json = _renamed(_sorted(definitions.get("$defs", {})))
        self.samples = Examples(self.definitions)
        self.operations = {operation.id for operation in operations}
        self.examples: Json = {}
        self.responses: Json = {}

    def response(self, status: str, said: components.Said) -> Json:
        """The response of an error status, by reference if its codes are the usual ones of this status."""
        response = components.error_response(status, said, self.examples)
        name = components.USUAL.get((status, frozenset(said)))
        if name is None:
            return response
        self.responses[name] = response
        return {"$ref": f"#/components/responses/{name}"}


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    operations = [_Operation(file, declared) for file in route_files() for declared in declared_in(file)]
    shared = _Shared(operations)
    paths: dict[str, Json] = {}
    for operation in sorted(operations, key=lambda o: (_rank(o.service), o.declared.path)):
        described = operation.describe(shared)
        paths.setdefault(operation.declared.path, {})[operation.declared.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Box Office", "version": "1", "description": components.DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": components.TAGS,
        "paths": paths,
        "components": {
            "schemas": {"Error": components.ERROR, **shared.definitions},
            "parameters": components.PARAMETERS,
            "headers": components.HEADERS,
            "examples": dict(sorted(shared.examples.items())),
            "responses": dict(sorted(shared.responses.items())),
            "securitySchemes": components.SECURITY,
        },
    }


def as_text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def route_files() -> list[Path]:
    """The files that declare the routes."""
    return sorted(
        file for file in (ROOT / "functions").glob("*/routes/*.py") if not file.name.startswith("__")
    )


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def declared_in(file: Path) -> list[Declared]:
    """What a file declares: one route."""
    api = importlib.import_module(_module(file)).api
    assert isinstance(api, Api)
    return api.declared


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
        named = {_readable(key) if isinstance(key, str) else key: item for key, item in value.items()}
        # "By default nothing" says no more than "not required", and generators of clients make it "required".
        return {key: _renamed(item) for key, item in named.items() if (key, item) != ("default", None)}
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
