"""The OpenAPI document: valid, of today's code, and complete."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from functions.platform.routes import openapi as route
from tests.support import call
from tools import openapi
from tools.openapi_links import LINKS

Json = dict[str, Any]


@cache
def document() -> Json:
    return openapi.document()


def operations() -> dict[str, Json]:
    """Every operation by its id."""
    paths = document()["paths"].values()
    return {operation["operationId"]: operation for path in paths for operation in path.values()}


def resolved(node: Json) -> Json:
    """What a reference refers to."""
    if "$ref" not in node:
        return node
    found: Json = document()
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def contents(operation: Json) -> Iterator[tuple[str, Json]]:
    """The media types of an operation: of its request, and of each of its answers by status."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, response in operation["responses"].items():
        for media in resolved(response).get("content", {}).values():
            yield status, media


def examples(media: Json) -> list[Any]:
    many = [resolved(example)["value"] for example in media.get("examples", {}).values()]
    return [*many, media["example"]] if "example" in media else many


def complaints(schema: Json, value: Any) -> list[str]:
    whole = {**schema, "components": document()["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(value)]


def codes(operation: Json, status: str) -> set[str]:
    """The error codes that an operation's answer of this status may have."""
    media = resolved(operation["responses"][status])["content"]["application/json"]
    return set(media["examples"])


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][path][method]
    return found


def test_it_is_a_valid_openapi_document() -> None:
    validate(document())


def test_the_committed_document_is_what_the_code_says() -> None:
    assert openapi.TARGET.read_text() == openapi.as_text(), "run `make openapi`"


def test_the_route_serves_it() -> None:
    reply = call(route.handler, "GET", "/api/openapi.json")

    assert reply.status == 200
    assert reply.body == json.loads(openapi.TARGET.read_text())
    assert reply.headers["Cache-Control"] == "public, max-age=300"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for path in document()["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names))


def test_an_operation_is_named_as_its_file() -> None:
    for file in openapi.route_files():
        names = [declared.function.__name__ for declared in openapi.declared_in(file)]
        service_health = [f"{file.parts[-3]}_health"] if file.stem == "health" else []
        assert names == [file.stem] or names == service_health, file


@pytest.mark.parametrize("operation", operations().values(), ids=operations())
class TestEveryOperation:
    """Rules that each operation keeps, whoever adds it."""

    def test_says_what_it_does(self, operation: Json) -> None:
        assert operation["summary"]
        assert operation["description"]
        assert operation["responses"].keys() >= {"400", "429", "500", "503", "504"}
        assert isinstance(operation["security"], list)

    def test_shows_an_example_of_all_that_is_sent_and_answered(self, operation: Json) -> None:
        for status, media in contents(operation):
            if set(media["schema"]) - {"contentMediaType", "type"}:
                assert examples(media), (operation["operationId"], status)

    def test_has_no_example_that_its_schema_refuses(self, operation: Json) -> None:
        for status, media in contents(operation):
            for example in examples(media):
                assert complaints(media["schema"], example) == [], (operation["operationId"], status)
        for parameter in map(resolved, operation["parameters"]):
            if "example" in parameter:
                assert complaints(parameter["schema"], parameter["example"]) == []

    def test_tells_who_may_not_by_401_and_403(self, operation: Json) -> None:
        assert not operation["security"] or "UNAUTHORIZED" in codes(operation, "401")
        assert "x-role" not in operation or "FORBIDDEN" in codes(operation, "403")

    def test_names_its_headers(self, operation: Json) -> None:
        for status, response in operation["responses"].items():
            headers = resolved(response)["headers"]
            assert headers.keys() >= {"X-Request-Id", "API-Version"}
            assert ("Retry-After" in headers) == (status in ("429", "503", "504"))

    def test_honours_idempotency_keys_wholly_or_not_at_all(self, operation: Json) -> None:
        takes = any(resolved(p)["name"] == "Idempotency-Key" for p in operation["parameters"])
        success = next(r for status, r in operation["responses"].items() if status < "400")

        assert takes == ("Idempotency-Replayed" in success["headers"])
        assert not takes or "IDEMPOTENCY_CONFLICT" in codes(operation, "409")

    def test_leads_on_to_operations_that_there_are(self, operation: Json) -> None:
        for status, response in operation["responses"].items():
            for link in resolved(response).get("links", {}).values():
                target = operations()[link["operationId"]]
                taken = {resolved(p)["name"] for p in target["parameters"]}
                assert set(link.get("parameters", {})) <= taken, (operation["operationId"], status)


def test_links_are_of_operations_that_there_are() -> None:
    assert set(LINKS) <= set(operations())


def test_each_error_that_a_route_raises_is_said_by_its_code() -> None:
    reserve, purchase = operations()["reserve"], operations()["purchase"]

    assert codes(reserve, "409") == {"IDEMPOTENCY_CONFLICT", "PER_PERSON_LIMIT", "SALE_CLOSED", "SOLD_OUT"}
    assert "RESERVATION_EXPIRED" in codes(purchase, "409")
    assert codes(operations()["stripe_webhook"], "400") >= {"INVALID_SIGNATURE"}
    assert codes(operations()["login"], "401") == {"INVALID_CREDENTIALS"}
    assert codes(operations()["check_in"], "400") >= {"FORGED", "VALIDATION_ERROR"}
    assert codes(operations()["check_in"], "409") >= {"ALREADY_USED", "VOID"}


def test_maintenance_is_said_where_it_counts() -> None:
    assert "MAINTENANCE" in codes(operations()["reserve"], "503")
    for served in ("get_event", "login", "refresh", "logout", "stripe_webhook"):
        assert "MAINTENANCE" not in codes(operations()[served], "503"), served


def test_a_purchase_demands_an_idempotency_key_and_a_token() -> None:
    purchase = operation("post", "/api/tickets/purchase")
    keys = [p for p in purchase["parameters"] if p.get("name") == "Idempotency-Key"]

    assert [key["required"] for key in keys] == [True]
    assert purchase["security"] == [{"bearer": []}]
    assert set(purchase["responses"]) >= {"202", "400", "401", "409", "429", "503"}


def test_a_public_route_takes_no_token() -> None:
    assert operation("get", "/api/tickets/availability/{eventId}")["security"] == []


def test_names_are_those_of_the_wire() -> None:
    schemas = document()["components"]["schemas"]
    fields = {name for schema in schemas.values() for name in schema.get("properties", {})}

    assert not [name for name in fields if "_" in name]


def test_parameters_have_the_names_that_the_query_takes() -> None:
    named = {p.get("name") for p in operation("get", "/api/events")["parameters"]}

    assert {"category", "from", "to", "limit", "cursor"} <= named
    assert not {"since", "before"} & named


def test_whoever_names_an_object_may_hear_that_there_is_none() -> None:
    for method, path in [
        ("get", "/api/events/{id}"),
        ("get", "/api/tickets/types"),
        ("post", "/api/tickets/reserve"),
        ("post", "/api/payments/refund"),
        ("post", "/api/tickets/check-in"),
    ]:
        assert "404" in operation(method, path)["responses"], path
    assert "404" not in operation("get", "/api/events")["responses"]


def test_a_sign_in_that_fails_is_in_the_document() -> None:
    assert set(operation("post", "/api/auth/login")["responses"]) >= {"200", "400", "401", "403", "429"}
    assert "401" in operation("post", "/api/auth/refresh")["responses"]


def test_a_role_is_said() -> None:
    assert operation("post", "/api/notifications/templates")["x-role"] == "ADMIN"
