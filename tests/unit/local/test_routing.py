"""Which route of an API a path takes."""

import pytest

from local.resources import Route
from local.routing import Routes


@pytest.mark.parametrize(
    ("path", "expected", "parameters"),
    [
        ("/a/b", "/a/b", {}),
        ("/a/x", "/a/{id}", {"id": "x"}),
        ("/a/b/d", "/a/{id}/d", {"id": "b"}),
        ("/z/y/x", "/z/{proxy+}", {"proxy": "y/x"}),
        ("/a/b/", "/a/b", {}),
        ("/", "/", {}),
        ("/a", None, {}),
        ("//b", None, {}),
    ],
)
def test_a_literal_part_beats_a_parameter(
    path: str, expected: str | None, parameters: dict[str, str]
) -> None:
    paths = ("/", "/a/b", "/a/{id}", "/a/{id}/d", "/a/b/c", "/z/{proxy+}")
    found = Routes(Route("GET", each, "f") for each in paths).match("GET", path)
    assert (found.route.path if found else None, found.parameters if found else {}) == (expected, parameters)
