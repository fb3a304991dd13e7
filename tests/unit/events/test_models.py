"""What events accepts: dates, zones, titles, filters."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from functions.events.models import Before, EventRequest, Filter, Since
from shared.errors import BadInput

VALID = {
    "name": "Gala",
    "eventDate": "2999-05-31T18:00:00Z",
    "timeZone": "Europe/Vienna",
    "venueName": "Opera",
    "venueAddress": "Opernring 2\n1010 Wien",
}
JULY = datetime(2027, 7, 1, tzinfo=UTC)


def wrong_fields(**changes: Any) -> set[str]:
    try:
        EventRequest.model_validate(VALID | changes)
    except ValidationError as error:
        return {str(e["loc"][0]) for e in error.errors()}
    return set()


def test_an_address_may_have_several_lines_a_title_may_not() -> None:
    assert wrong_fields() == set()
    assert wrong_fields(name="Gala\nNight", venueName="Opera\r\n") == {"name"}, (
        "blanks at the end are no data"
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires"])
def test_a_zone_is_a_place(zone: str) -> None:
    assert wrong_fields(timeZone=zone) == set()


@pytest.mark.parametrize(
    "zone",
    ["", "Vienna", "Mars/Olympus", "../../etc/passwd", "posix/UTC", "localtime", "Europe", "+02:00", 2],
)
def test_what_is_no_place_is_no_zone(zone: object) -> None:
    assert wrong_fields(timeZone=zone) == {"timeZone"}


@pytest.mark.parametrize(
    "date",
    [
        "2020-01-01T00:00:00Z",
        "2999-01-01",
        "2999-01-01T00:00:00",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:59Z",  # there is no such evening in Auckland
        "soon",
        4102444800,
        "4102444800",
        None,
    ],
)
def test_a_date_is_an_instant_to_come_with_its_offset(date: object) -> None:
    assert wrong_fields(eventDate=date) == {"eventDate"}


def test_an_offset_names_the_same_instant() -> None:
    event = EventRequest.model_validate(VALID | {"eventDate": "2999-05-31T20:00:00+02:00"})

    assert event.event_date == datetime(2999, 5, 31, 18, tzinfo=UTC)


def test_every_wrong_field_is_named_at_once() -> None:
    assert wrong_fields(
        name="", eventDate="2020-01-01T00:00:00Z", timeZone="x", venueAddress=None, spare=1
    ) == {
        "name",
        "eventDate",
        "timeZone",
        "venueAddress",
        "spare",
    }


def test_a_date_in_a_filter_is_the_whole_day() -> None:
    since, before = TypeAdapter(Since), TypeAdapter(Before)

    assert since.validate_python("2027-07-01") == JULY
    assert before.validate_python("2027-07-01") == JULY + timedelta(days=1)
    assert since.validate_python("2027-07-01T02:00:00+02:00") == JULY
    assert before.validate_python("2027-07-01T00:00:00.000Z") > JULY, "what begins at `to` is shown"


@pytest.mark.parametrize(
    "value", ["", "soon", "5", "2027-07-01T00:00:00", "9999-12-31", "2027-13-01", 5, None]
)
def test_what_is_neither_instant_nor_date_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Before).validate_python(value)


def test_a_filter_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput):
        Filter.of(None, JULY, JULY - timedelta(days=1))
