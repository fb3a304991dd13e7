"""Searching: words, typing errors, facets, pages; fresh although cached, plain when the database cannot do better."""

import json
from typing import Any

import pytest

from functions.events.cache import cache
from shared.business import CANARY_EVENT
from tests.programme import Programme, in_days


@pytest.fixture
def season(programme: Programme) -> Programme:
    """A few events that differ."""
    programme.published(name="Winterreise", description="Schubert songs", eventDate=in_days(40))
    programme.published(name="The Who", venueName="Stadthalle", eventDate=in_days(30))
    programme.published(name="Jazz Night", venueName="Blue Note", eventDate=in_days(20))
    programme.published(name="Night of Comedians", category="Comedy", eventDate=in_days(10))
    programme.draft(name="Jazz draft")
    programme.cancelled(name="Jazz cancelled")
    programme.begun(programme.published(name="Jazz of yesterday"))
    return programme


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("winterreise", ["Winterreise"]),
        ("Wintereise", ["Winterreise"]),  # a letter lost
        ("winterriese", ["Winterreise"]),  # two swapped
        ("jaz", ["Jazz Night"]),
        ("song", ["Winterreise"]),  # another form of a word of the description
        ("the who", ["The Who"]),  # nothing but what English takes for noise
        ("blue note", ["Jazz Night"]),
        ("comedy", ["Night of Comedians"]),
        ("football", []),
        ("'; DROP TABLE events; --", []),
        ('"unbalanced', []),
        ("%", []),
        ("& | !", []),
    ],
)
def test_words_are_found_typing_errors_forgiven(season: Programme, q: str, expected: list[str]) -> None:
    assert season.found(q) == expected


def test_the_best_match_or_the_next_event_comes_first(season: Programme) -> None:
    assert season.found("jazz night") == ["Jazz Night", "Night of Comedians"]
    assert season.found("night", sort="date") == ["Night of Comedians", "Jazz Night"]


def test_results_are_narrowed_and_counted_by_category(season: Programme) -> None:
    reply = season.ask("search_events", query={"q": "night", "category": "comedy"})

    assert [item["name"] for item in reply.body["items"]] == ["Night of Comedians"]
    assert reply.body["facets"] == {
        "categories": [{"category": "Comedy", "count": 1}, {"category": "Music", "count": 1}]
    }, "the other categories one could choose instead"


@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_pages_leave_nothing_out_and_show_nothing_twice(programme: Programme, sort: str) -> None:
    date = in_days(30)
    names = {programme.published(name=f"Gala number {n}", eventDate=date)["name"] for n in range(5)}
    shown: list[str] = []
    cursor = None
    while True:
        query = {"q": "gala", "sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
        body = programme.ask("search_events", query=query).body
        shown += [item["name"] for item in body["items"]]
        cursor = body["nextCursor"]
        if cursor is None:
            break

    assert (len(shown), set(shown)) == (5, names)


def test_what_is_published_changed_or_cancelled_shows_in_the_next_search(programme: Programme) -> None:
    assert programme.found("gala") == []

    event = programme.published(name="Gala")
    assert programme.found("gala") == ["Gala"]

    changed = {key: event[key] for key in ("eventDate", "timeZone", "venueName", "venueAddress")}
    programme.ask("update_event", changed | {"name": "Gala!"}, id=event["id"], user=programme.organizer)
    assert programme.found("gala") == ["Gala!"]

    programme.ask("cancel_event", {"reason": "Rain"}, id=event["id"], user=programme.organizer)
    assert programme.found("gala") == []


def test_the_canary_s_event_is_in_no_list_no_search_and_no_facet(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme.published(name="Gala")
    canary = programme.published(name="Gala of the canary", category="comedy")
    monkeypatch.setattr(CANARY_EVENT, "_value", canary["id"])
    monkeypatch.setattr(CANARY_EVENT, "_good_until", float("inf"))

    listed = programme.ask("list_events").body["items"]
    assert [event["name"] for event in listed] == ["Gala"]
    assert programme.found("gala") == ["Gala"]
    facets = programme.ask("search_events", query={"q": "gala"}).body["facets"]["categories"]
    assert [facet["category"] for facet in facets] == ["Music"]
    programme.db.run("ALTER FUNCTION matching_events RENAME TO matching_events_away")
    assert programme.found("gala of") == [], "nor where the better search fails"
    assert programme.ask("get_event", id=canary["id"]).body["name"] == "Gala of the canary"


def test_the_same_search_is_answered_from_the_cache(programme: Programme) -> None:
    programme.published(name="Gala")
    assert programme.found("gala") == ["Gala"]
    programme.db.run("UPDATE events SET name = 'Gala, changed behind the cache'")

    assert programme.found("gala") == ["Gala"]
    assert programme.found("gala", limit=7) == ["Gala, changed behind the cache"], "another search"


def test_a_search_that_another_version_of_the_code_cached_is_done_anew(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme.published(name="Gala")
    cached = cache.get

    def of_another_version(key: str) -> Any:
        held = cached(key)
        if held is not None:
            del held["page"]["items"][0]["timeZone"]  # which it did not know
        return held

    monkeypatch.setattr(cache, "get", of_another_version)
    assert programme.found("gala") == ["Gala"]

    assert programme.found("gala") == ["Gala"]

    monkeypatch.setattr(cache, "get", lambda key: cached(key) and {})
    assert programme.found("gala") == ["Gala"]


def test_when_the_better_search_fails_a_plain_one_answers_and_a_metric_says_so(
    season: Programme, capsys: pytest.CaptureFixture[str]
) -> None:
    season.db.run("ALTER FUNCTION matching_events RENAME TO matching_events_away")

    reply = season.ask("search_events", query={"q": "night", "category": "comedy"})
    assert [item["name"] for item in reply.body["items"]] == ["Night of Comedians"]
    assert reply.body["facets"] == {
        "categories": [{"category": "Comedy", "count": 1}, {"category": "Music", "count": 1}]
    }
    lines = capsys.readouterr().out.splitlines()
    (metric,) = [json.loads(line) for line in lines if '"SearchFellBack"' in line]
    assert (metric["SearchFellBack"], metric["service"]) == ([1.0], "events")
    assert season.found("night") == ["Night of Comedians", "Jazz Night"]
    assert season.found("wintereise") == [], "as it was typed"

    season.db.run("ALTER FUNCTION matching_events_away RENAME TO matching_events")
    capsys.readouterr()
    assert season.found("wintereise") == ["Winterreise"], "what the plain search found is not kept"
    assert "SearchFellBack" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": " "}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "x", "sort": "price"}, "sort"),
        ({"q": "x", "cursor": "WyJOYU4iLCIyOTk5LTAxLTAxIiwiMCJd"}, "cursor"),
    ],
)
def test_a_search_that_makes_no_sense_is_bad_input(
    programme: Programme, query: dict[str, str], field: str
) -> None:
    reply = programme.ask("search_events", query=query)

    assert (reply.status, reply.fields) == (400, {field})
