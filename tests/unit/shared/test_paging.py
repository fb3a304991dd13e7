"""Cursors: what we made is read again, whatever else is a 400."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from shared import paging
from shared.errors import BadInput

ID = str(uuid4())


def test_a_position_is_read_as_it_was_written() -> None:
    at, id = datetime(2027, 1, 1, 12, 0, 0, 123456, UTC), uuid4()

    assert paging.decode(paging.encode(at, id), paging.instant, UUID) == (at, id)


def test_a_page_names_the_next_one_only_if_there_is_more() -> None:
    assert paging.cut([1, 2], 2, lambda item: (item,)) == ([1, 2], None)
    assert paging.cut([1, 2, 3], 2, lambda item: (item,)) == ([1, 2], paging.encode(2))


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+00:00:30.123456"])
def test_an_offset_that_postgresql_does_not_know_becomes_utc(offset: str) -> None:
    read = paging.decode(paging.encode(f"2026-01-01T00:00:00{offset}", ID), paging.instant, UUID)

    assert read is not None
    assert read[0].tzinfo is UTC


@pytest.mark.parametrize(
    "instant",
    ["2026-01-01T00:00:00", "2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon"],
)
def test_what_is_no_instant_is_no_position(instant: str) -> None:
    with pytest.raises(BadInput):
        paging.decode(paging.encode(instant, ID), paging.instant, UUID)


@pytest.mark.parametrize("cursor", ["", "%%%", "😀", "NaN", "e30", "W10", "W1tbW1tb", "WzEsMl0", "W" * 499])
def test_what_we_never_wrote_is_no_cursor(cursor: str) -> None:
    with pytest.raises(BadInput):
        paging.decode(cursor, paging.instant, UUID)
