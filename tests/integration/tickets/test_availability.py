"""Availability: at most a second old, the same for everybody, and right without Redis."""

import os
import signal
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis

from functions.tickets.cache import cache as service_cache
from functions.tickets.database import database
from functions.tickets.jobs import expire_holds
from functions.tickets.routes import availability, release_reservation
from local.valkey import Valkey
from shared.clock import now
from tests.support import Reply, a_user, call, context
from tests.ticket_sales import Sales


def ask(event_id: UUID) -> Reply:
    return call(availability.handler, "GET", f"/api/tickets/availability/{event_id}")


def available(event_id: UUID) -> list[tuple[int, str]]:
    reply = ask(event_id)
    assert reply.status == 200, reply.body
    return [(type_["available"], type_["status"]) for type_ in reply.body["ticketTypes"]]


@pytest.fixture
def redis(cache: Valkey) -> Redis:
    """The cache as it is, for looking into it."""
    service_cache.reset()
    return Redis(host=cache.host, port=cache.port)


def test_a_buyer_sees_what_is_left(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=10, price="49.5", limit=4)
    sales.issued(a_user(), event_id, {id: 2})
    sales.held(a_user(), event_id, {id: 3})

    reply = ask(event_id)

    assert reply.body["eventId"] == str(event_id)
    assert reply.body["asOf"].endswith("Z")
    assert reply.body["ticketTypes"] == [
        {
            "id": str(id),
            "name": "Stalls",
            "description": None,
            "price": "49.50",
            "currency": "EUR",
            "venueZone": "A",
            "perPersonLimit": 4,
            "available": 5,
            "status": "ON_SALE",
        }
    ]


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({}, "ON_SALE"),
        ({"quantity": 0}, "SOLD_OUT"),
        ({"starts": now() + timedelta(days=1)}, "NOT_STARTED"),
        ({"ends": now() - timedelta(days=1)}, "ENDED"),
    ],
)
def test_the_status_of_a_type(sales: Sales, terms: dict[str, Any], status: str) -> None:
    event_id = sales.event()
    sales.type(event_id, **terms)
    assert [shown for _, shown in available(event_id)] == [status]


@pytest.mark.parametrize("event", [{"status": "CANCELLED"}, {"days_ahead": -1}])
def test_nothing_is_on_sale_of_an_event_that_is_over(sales: Sales, event: dict[str, Any]) -> None:
    event_id = sales.event(**event)
    sales.type(event_id)
    assert available(event_id) == [(100, "ENDED")]


def test_a_hold_that_ran_out_is_available_swept_or_not(sales: Sales) -> None:
    event_id = sales.event()
    sales.run_out(sales.held(a_user(), event_id, {sales.type(event_id, quantity=2): 2}))
    assert available(event_id) == [(2, "ON_SALE")]


def test_a_draft_and_an_unknown_event_are_not_found(sales: Sales) -> None:
    draft = sales.event(status="DRAFT")
    sales.type(draft)
    assert (ask(draft).status, ask(uuid4()).status) == (404, 404)
    assert call(availability.handler, "GET", "/api/tickets/availability/x").fields == {"eventId"}


def test_an_event_published_a_moment_ago_is_shown_before_the_news_arrives(sales: Sales) -> None:
    assert available(sales.event_of_events()) == []


def test_what_was_asked_a_moment_ago_comes_from_redis(sales: Sales, redis: Redis) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    first = ask(event_id).body
    sales.db.run("UPDATE ticket_types SET quantity_available = 1")  # behind the service's back

    assert ask(event_id).body == first

    key = f"inventory:{event_id}:{id}"
    assert redis.get(key) is not None
    assert 290 < redis.ttl(key) <= 300


def test_what_redis_keeps_is_shown_while_postgresql_hangs(
    redis: Redis, sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales.extension.parameters["availability_trust_seconds"] = "0"
    event_id = sales.event()
    sales.type(event_id)
    first = ask(event_id)
    with database.reading() as sql:
        backend = sql.one("SELECT pg_backend_pid() AS pid")
    assert backend is not None
    monkeypatch.setattr("shared.database.ANSWER_SECONDS", 0.5)
    os.kill(backend["pid"], signal.SIGSTOP)
    try:
        assert ask(event_id).body == first.body, "as of then"
    finally:
        os.kill(backend["pid"], signal.SIGCONT)


def test_what_is_older_than_the_setting_is_read_again(sales: Sales, redis: Redis) -> None:
    sales.extension.parameters["availability_trust_seconds"] = "0"
    event_id = sales.event()
    sales.type(event_id)
    assert available(event_id) == [(100, "ON_SALE")]
    sales.db.run("UPDATE ticket_types SET quantity_available = 1")
    assert available(event_id) == [(1, "ON_SALE")]


def test_a_reservation_and_its_release_show_at_once(sales: Sales, redis: Redis) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, quantity=3)
    assert available(event_id) == [(3, "ON_SALE")]
    reservation = sales.held(buyer, event_id, {id: 3})
    assert available(event_id) == [(0, "SOLD_OUT")]
    call(release_reservation.handler, "DELETE", f"/api/tickets/reservations/{reservation}", user=buyer)
    assert available(event_id) == [(3, "ON_SALE")]


def test_swept_holds_and_released_orders_show_at_once(sales: Sales, redis: Redis) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, quantity=3)
    order_id = sales.order(buyer, event_id, {id: 1})
    sales.run_out(sales.held(buyer, event_id, {id: 1}), seconds_ago=-0.2)
    assert available(event_id) == [(1, "ON_SALE")]
    sales.db.run("UPDATE ticket_reservations SET reserved_until = now() WHERE status = 'HELD'")
    assert expire_holds.handler({}, context()) == {"handled": 1}
    assert available(event_id) == [(2, "ON_SALE")]
    sales.release(order_id)
    assert available(event_id) == [(3, "ON_SALE")]


def test_without_redis_it_is_right_all_the_same(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_HOST", "127.0.0.1")
    monkeypatch.setenv("CACHE_PORT", "9")
    service_cache.reset()
    event_id = sales.event()
    id = sales.type(event_id, quantity=3)
    sales.held(a_user(), event_id, {id: 1})
    assert available(event_id) == [(2, "ON_SALE")]


def test_rubbish_in_redis_is_read_over(sales: Sales, redis: Redis) -> None:
    event_id = sales.event()
    sales.type(event_id)
    ask(event_id)
    redis.hset(f"event:{event_id}", "tickets", '{"asOf": "yesterday"}')
    assert available(event_id) == [(100, "ON_SALE")]


def test_while_postgres_is_down_the_last_known_figure_is_shown_with_its_time(
    sales: Sales, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales.extension.parameters["availability_trust_seconds"] = "0"
    event_id = sales.event()
    sales.type(event_id)
    known = ask(event_id).body
    monkeypatch.setenv("DATABASE_PORT", "9")
    database.reset()

    assert ask(event_id).body == known
    assert ask(sales.event()).status == 503
