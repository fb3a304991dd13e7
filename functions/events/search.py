"""Searching: full text with typing errors forgiven, kept in Redis, and a plainer search should that one fail."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from functions.events import repository
from functions.events.cache import cache
from functions.events.models import CategoryCount, Event, EventRecord, Facets, Filter, SearchPage, Sort
from functions.events.settings import SEARCH_CACHE_SECONDS
from shared import metrics, paging
from shared.database import Database, Refused, Row, Sql
from shared.errors import Unavailable
from shared.log import logger

Found = tuple[list[tuple[Any, EventRecord]], list[Row]]
"""Results with their ranks, and how many each category has."""


@dataclass(frozen=True)
class Search:
    """What somebody is looking for, and which page of it."""

    query: str
    wanted: Filter
    sort: Sort
    limit: int
    cursor: str | None

    @property
    def after(self) -> tuple[Any, ...] | None:
        """The position of the last result shown: rank, date and id."""
        return paging.decode(self.cursor, _rank, paging.instant, UUID)


def page(database: Database, search: Search, at: datetime) -> SearchPage:
    """A page of upcoming events that match, and how many each category has.

    Kept under the catalogue's version, so that whatever is published, changed or cancelled shows in the next search.
    """
    after = search.after
    with database.standby() as sql:
        version = repository.catalogue_version(sql)
    kept = _kept(search, version)
    if kept is not None:
        return _still_to_come(kept, at)
    best = _matching(database, search, after, at)
    if best is not None:
        version, (results, counts) = best
    else:
        with database.standby() as sql:
            results, counts = _matching_plainly(sql, search, after, at)
    shown, next_cursor = paging.cut(results, search.limit, _position)
    answer = SearchPage(
        items=[Event.of(record) for _, record in shown],
        next_cursor=next_cursor,
        facets=Facets(categories=[CategoryCount(**count) for count in counts]),
    )
    if best is not None:  # else the better search would be kept waiting by what the plain one found
        value = {"asOf": at.timestamp(), "page": answer.model_dump(mode="json", by_alias=True)}
        cache.set(_key(search, version), value, seconds=SEARCH_CACHE_SECONDS())
    return answer


def _kept(search: Search, version: int) -> SearchPage | None:
    """What Redis has of this search, if it is of a form that this code knows."""
    try:
        held = cache.get(_key(search, version))
        return None if held is None else SearchPage.model_validate(held["page"])
    except (ValueError, KeyError, TypeError):  # kept by another version of this code
        return None


def _still_to_come(page: SearchPage, at: datetime) -> SearchPage:
    """The page without what has begun since it was kept: no write says so, only the clock."""
    return page.model_copy(update={"items": [event for event in page.items if event.event_date > at]})


def _matching(
    database: Database, search: Search, after: tuple[Any, ...] | None, at: datetime
) -> tuple[int, Found] | None:
    """By words, typing errors forgiven, with the catalogue's version that was searched (a standby's may be an older one
    than the next standby's); None if PostgreSQL cannot do that.
    """
    query, wanted, limit = search.query, search.wanted, search.limit + 1
    try:
        with database.standby() as sql:
            version = repository.catalogue_version(sql)
            found = repository.matching(sql, query, wanted, search.sort, at, after=after, limit=limit)
            return version, (found, repository.matches_by_category(sql, query, wanted, at))
    except (Refused, Unavailable) as failed:
        logger("events").warning("search fell back to plain text", extra={"error": type(failed).__name__})
        metrics.count("events", "SearchFellBack")
        return None


def _matching_plainly(sql: Sql, search: Search, after: tuple[Any, ...] | None, at: datetime) -> Found:
    """What contains the text as it was typed."""
    query, wanted = search.query, search.wanted
    found = repository.matching_plainly(sql, query, wanted, at, after=after, limit=search.limit + 1)
    return found, repository.plain_matches_by_category(sql, query, wanted, at)


def _key(search: Search, version: int) -> str:
    asked = f"{version} {search!r}"
    return f"search:{hashlib.sha256(asked.encode()).hexdigest()}"


def _position(result: tuple[Any, EventRecord]) -> tuple[Any, ...]:
    rank, record = result
    return rank, record.event_date, record.id


def _rank(text: str) -> Decimal:
    if re.fullmatch(r"\d{1,3}(\.\d{6})?", text) is None:
        raise ValueError(text)
    return Decimal(text)
