"""`If-Match`: the version a change is meant for."""

import pytest

from functions.events.versions import wanted_version
from shared.errors import BadInput


@pytest.mark.parametrize("header", ["3", '"3"', 'W/"3"', " 3 "])
def test_a_version_may_be_written_as_a_number_or_an_entity_tag(header: str) -> None:
    assert wanted_version(header) == 3


@pytest.mark.parametrize("header", [None, "*"])
def test_any_version_will_do(header: str | None) -> None:
    assert wanted_version(header) is None


@pytest.mark.parametrize("header", ["", "three", "-1", '"3', "3, 4", "9" * 30])
def test_anything_else_is_bad_input(header: str) -> None:
    with pytest.raises(BadInput):
        wanted_version(header)
