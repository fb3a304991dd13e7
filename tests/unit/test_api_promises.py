"""What callers rely on is kept, or the version changes."""

import copy
import json
from typing import Any

import pytest

from tools.api_promises import DOCUMENT, breaking, kept, promises

RESERVE = "/api/tickets/reserve"


@pytest.fixture
def document() -> dict[str, Any]:
    """The OpenAPI document, to be changed by a test."""
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return copy.deepcopy(loaded)


def test_the_document_keeps_every_promise(document: dict[str, Any]) -> None:
    assert breaking(kept(), promises(document)) == []


def test_the_promises_are_those_of_the_document(document: dict[str, Any]) -> None:
    assert kept() == promises(document), "run `make snapshot`, and look at what it changes"


def test_a_route_that_is_gone_breaks_callers(document: dict[str, Any]) -> None:
    del document["paths"][RESERVE]
    assert f"no longer: POST {RESERVE}" in breaking(kept(), promises(document))


def test_a_field_that_an_answer_no_longer_has_breaks_callers(document: dict[str, Any]) -> None:
    answers = document["paths"][RESERVE]["post"]["responses"]
    name = answers["201"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    field = next(iter(document["components"]["schemas"][name]["properties"]))
    del document["components"]["schemas"][name]["properties"][field]
    assert f"no longer: POST {RESERVE} gives 201 body.{field}" in breaking(kept(), promises(document))


def test_a_field_that_a_request_newly_needs_breaks_callers(document: dict[str, Any]) -> None:
    request = document["components"]["schemas"]["ReserveRequest"]
    request["properties"]["seat"] = {"type": "string"}
    assert breaking(kept(), promises(document)) == []
    request["required"].append("seat")
    assert breaking(kept(), promises(document)) == [f"newly: POST {RESERVE} needs body.seat"]


def test_what_is_added_breaks_nobody(document: dict[str, Any]) -> None:
    document["paths"]["/api/new"] = copy.deepcopy(document["paths"][RESERVE])
    assert breaking(kept(), promises(document)) == []


def test_a_new_version_may_break_what_the_old_one_promised(document: dict[str, Any]) -> None:
    del document["paths"][RESERVE]
    document["info"]["version"] = "2"
    assert breaking(kept(), promises(document)) == []
