"""The OpenAPI document: valid, of today's code, and complete."""

import json
from functools import cache
from typing import Any

from openapi_spec_validator import validate

from functions.platform.routes import openapi as route
from tests.support import call
from tools import openapi


@cache
def document() -> dict[str, Any]:
    return openapi.document()


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
