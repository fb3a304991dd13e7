"""Redis hangs, comes back with what it remembers, goes, and comes back empty: slower, never wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from tests.e2e.box_office import Show, available, event_details, publish, reserve
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop
from tests.e2e.operators import valkey_of

# The answer's own second, and what rounding to milliseconds takes.
AT_MOST = timedelta(seconds=1, milliseconds=5)


@pytest.fixture
def own_laptop(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud whose Valkey a test may take away."""
    with Laptop(assembly=assembly) as running:
        yield running


class Business:
    """What goes on all the time: seats are held, events change, people sign out."""

    def __init__(self, visitor: Client) -> None:
        self.visitor, self.organizer = visitor, visitor.newcomer("ORGANIZER", "Otto")
        self.show: Show = publish(self.organizer)
        self.buyer, self.left = visitor.newcomer(), 100

    def goes_on(self) -> None:
        """Everything that is written is read at once by whoever asks PostgreSQL, and nobody is told anything older."""
        reserve(self.buyer, self.show, 2).expect(201)
        self.left -= 2
        name = f"Renamed {self.left}"
        self.organizer.put(f"/api/events/{self.show.event_id}", event_details(name=name)).expect(200)
        assert self.visitor.get(f"/api/events/{self.show.event_id}").expect(200)["name"] == name
        assert self.visitor.get("/api/events/search", q=name).expect(200)["items"][0]["name"] == name
        leaver = self.visitor.signed_in(str(self.buyer.email))
        leaver.get("/api/auth/profile").expect(200)
        leaver.post("/api/auth/logout").expect(204)
        leaver.get("/api/auth/profile").expect(401)
        assert available(self.show) == self.left

    def nothing_old_is_told(self, times: int = 5) -> None:
        """Answers are at most a second old, whatever Redis was not told."""
        for _ in range(times):
            asked = datetime.now(UTC)
            answer = self.visitor.get(f"/api/tickets/availability/{self.show.event_id}").expect(200)
            assert asked - datetime.fromisoformat(answer["asOf"]) <= AT_MOST
        eventually(lambda: available(self.show) == self.left, 5)

    def cache_is(self, state: str) -> bool:
        """What the service says of its cache."""
        health = self.visitor.get("/api/health/tickets").expect(200)
        return bool(health["dependencies"]["cache"] == state)


def running(laptop: Laptop) -> psutil.Process:
    return eventually(lambda: valkey_of(laptop))


def test_business_goes_on_while_redis_is_away_and_after_it_is_back(own_laptop: Laptop) -> None:
    business = Business(own_laptop.client)
    business.goes_on()
    assert business.cache_is("ok")
    valkey = running(own_laptop)

    valkey.suspend()
    try:
        business.goes_on()
        assert business.cache_is("down")
        business.goes_on()
    finally:
        valkey.resume()
    business.nothing_old_is_told()
    eventually(lambda: business.cache_is("ok"))
    business.nothing_old_is_told()

    valkey.kill()
    business.goes_on()
    eventually(lambda: (again := valkey_of(own_laptop)) is not None and again.pid != valkey.pid)
    business.nothing_old_is_told()
    eventually(lambda: business.cache_is("ok"))
    business.goes_on()
    business.nothing_old_is_told()
