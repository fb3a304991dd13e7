"""The cached inventory after every kind of write, by whichever way stock moves; and what survives an outage of Redis.

Here the cache is believed for as long as it is kept, so that nothing but a write that says so can make it right. That
it is believed for a second at most, whatever it was not told, is proved below.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from functions.tickets import availability as use_case
from functions.tickets import inventory
from functions.tickets.cache import cache as service_cache
from functions.tickets.database import database
from functions.tickets.jobs import expire_holds
from functions.tickets.routes import (
    availability,
    create_ticket_type,
    delete_ticket_type,
    release_reservation,
    update_ticket_type,
)
from functions.tickets.settings import AVAILABILITY_TRUST_SECONDS
from local.valkey import Valkey
from shared.clock import now
from shared.identity import User
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.integration.tickets.moving_statements import moving_functions, moving_statements
from tests.integration.tickets.test_consumers import hear_of_event, refund
from tests.integration.tickets.test_late_payments import dispute, pay_late
from tests.integration.tickets.test_voiding import call_off, work_off
from tests.outages import hanging
from tests.support import Reply, a_user, call, context
from tests.ticket_sales import Sales

Write = Callable[[], object]


class Stage:
    """An event with a type of three tickets, of whose availability Redis holds an answer that it believes in."""

    def __init__(self, sales: Sales, aws: Cloud) -> None:
        self.sales, self.aws, self.buyer = sales, aws, a_user()
        self.event_id = sales.event()
        self.type_id = sales.type(self.event_id, quantity=3)

    def terms(self, **changes: Any) -> dict[str, Any]:
        """What an organizer says of a type."""
        return {"name": "Stalls", "price": "49.50", "quantityAvailable": 3, "perPersonLimit": 10, **changes}

    def change(self, handler: Any, method: str, body: Any = None) -> Reply:
        """The organizer changes the type."""
        path = f"/api/tickets/types/{self.type_id}" if method != "POST" else "/api/tickets/types"
        reply = call(handler, method, path, user=self.sales.organizer, body=body)
        assert reply.status in (200, 201, 204), reply.body
        return reply

    def held(self, quantity: int, buyer: User | None = None) -> str:
        """So many tickets held; the reservation's id."""
        return self.sales.held(buyer or self.buyer, self.event_id, {self.type_id: quantity})

    def run_out(self, quantity: int) -> None:
        """So many tickets held for too long; the clock says so, no write."""
        self.sales.run_out(self.held(quantity))

    def order(self) -> str:
        """An order of two."""
        return self.sales.order(self.buyer, self.event_id, {self.type_id: 2})

    def issued(self) -> str:
        """An order whose tickets exist."""
        order_id = self.order()
        self.sales.issue(order_id)
        return order_id


# ---- the kinds of writes: what comes before, and then the write itself


def reserved(stage: Stage) -> Write:
    return lambda: stage.held(2)


def reclaimed_inside_a_reservation(stage: Stage) -> Write:
    stage.run_out(3)
    return lambda: stage.held(2, a_user())


def released_by_the_buyer(stage: Stage) -> Write:
    path = f"/api/tickets/reservations/{stage.held(2)}"
    return lambda: call(release_reservation.handler, "DELETE", path, user=stage.buyer)


def swept(stage: Stage) -> Write:
    reservation = stage.held(2)

    def sweep() -> None:
        stage.sales.run_out(reservation)
        assert expire_holds.handler({}, context()) == {"handled": 1}

    return sweep


def released_by_the_saga(stage: Stage) -> Write:
    order_id = stage.order()
    return lambda: stage.sales.release(order_id)


def issued(stage: Stage) -> Write:
    order_id = stage.order()
    return lambda: stage.sales.issue(order_id)


def released_after_the_issue(stage: Stage) -> Write:
    order_id = stage.issued()
    return lambda: stage.sales.release(order_id)


def refunded_in_part(stage: Stage) -> Write:
    order_id = stage.issued()
    ticket_id = stage.sales.tickets(order_id)[0]["id"]
    return lambda: refund(stage.aws, order_id, [ticket_id], fully=False)


def refunded(stage: Stage) -> Write:
    order_id = stage.issued()
    return lambda: refund(stage.aws, order_id, [], fully=True)


def published(stage: Stage) -> Write:
    stage.sales.db.run("UPDATE event_copies SET status = 'DRAFT', version = 1")
    return lambda: hear_of_event(stage.aws, stage.event_id)


def put_off_to_yesterday(stage: Stage) -> Write:
    yesterday = (now() - timedelta(days=1)).isoformat()
    return lambda: hear_of_event(stage.aws, stage.event_id, "updated", version=3, eventDate=yesterday)


def cancelled(stage: Stage) -> Write:
    return lambda: hear_of_event(
        stage.aws, stage.event_id, "cancelled", version=3, status="CANCELLED", reason="Rain"
    )


def type_created(stage: Stage) -> Write:
    known = stage.sales.events.events  # the events service is asked whose event it is
    event_id = str(stage.event_id)
    known[event_id] = known[str(stage.sales.event_of_events())] | {"id": event_id}
    body = stage.terms(eventId=event_id, name="Balcony")
    return lambda: stage.change(create_ticket_type.handler, "POST", body)


def type_changed(stage: Stage) -> Write:
    body = stage.terms(quantityAvailable=7, price="10.00")
    return lambda: stage.change(update_ticket_type.handler, "PUT", body)


def type_shrunk_after_a_reclaim(stage: Stage) -> Write:
    stage.run_out(3)
    return lambda: stage.change(update_ticket_type.handler, "PUT", stage.terms(quantityAvailable=1))


def type_deleted(stage: Stage) -> Write:
    return lambda: stage.change(delete_ticket_type.handler, "DELETE")


def type_withdrawn(stage: Stage) -> Write:
    stage.sales.release(stage.issued())
    return lambda: stage.change(delete_ticket_type.handler, "DELETE")


def voided_after_a_cancellation(stage: Stage) -> Write:
    stage.issued()
    stage.held(1)
    call_off(stage.aws, stage.event_id)
    return lambda: work_off(stage.aws)


def disputed(stage: Stage) -> Write:
    order_id = stage.issued()
    return lambda: dispute(stage.aws, order_id)


def valid_again_after_a_dispute(stage: Stage) -> Write:
    order_id = stage.issued()
    dispute(stage.aws, order_id)
    return lambda: pay_late(stage.aws, order_id)


def bought_again_with_late_money(stage: Stage) -> Write:
    order_id = stage.order()
    stage.sales.release(order_id)
    return lambda: pay_late(stage.aws, order_id)


# Which statements of the repository a kind of write runs, of those that move what is shown.
WRITES: dict[Callable[[Stage], Write], set[str]] = {
    reserved: {"reservations.hold"},
    reclaimed_inside_a_reservation: {"reservations.hold"},
    released_by_the_buyer: {"reservations.give_back"},
    swept: {"reservations.expire"},
    released_by_the_saga: {"reservations.give_back"},
    issued: {"reservations.sell"},
    released_after_the_issue: {"tickets.void"},
    refunded_in_part: {"tickets.void"},
    refunded: {"tickets.void"},
    published: {"event_copies.put"},
    put_off_to_yesterday: {"event_copies.put"},
    cancelled: {"event_copies.put"},
    type_created: {"ticket_types.insert", "event_copies.set_currency"},
    type_changed: {"ticket_types.update"},
    type_shrunk_after_a_reclaim: {"ticket_types.reclaim", "ticket_types.update"},
    type_deleted: {"ticket_types.delete_unused", "event_copies.forget_currency"},
    type_withdrawn: {"ticket_types.withdraw"},
    voided_after_a_cancellation: {"reservations.release_of_event", "tickets.void"},
    disputed: {"tickets.void"},
    valid_again_after_a_dispute: {"tickets.reinstate"},
    bought_again_with_late_money: {"reservations.rebind", "reservations.sell"},
}
# What writes to the same tables and is shown to nobody: why an event was called off, how far its tickets are void, and
# drafts, whose availability is not found.
NOT_SHOWN = {
    "event_copies.mark_voided",
    "event_copies.note_cancelled",
    "event_copies.stuck_voiding",
    "event_copies.take_to_void",
    "privacy.delete_drafts",
    "privacy.delete_types_of_drafts",
}


@pytest.fixture
def stage(sales: Sales, aws: Cloud, cache: Valkey) -> Iterator[Stage]:
    sales.extension.parameters["availability_trust_seconds"] = "300"
    service_cache.reset()
    yield Stage(sales, aws)
    service_cache.reset()


def shown(stage: Stage) -> tuple[int, Any]:
    """What anybody is told, but for when it was read."""
    reply = call(availability.handler, "GET", f"/api/tickets/availability/{stage.event_id}")
    return reply.status, reply.body.get("ticketTypes")


@pytest.mark.parametrize("kind", WRITES, ids=lambda kind: str(kind.__name__))
def test_after_a_write_everybody_is_told_what_postgresql_holds(
    stage: Stage, cache: Valkey, kind: Callable[[Stage], Write]
) -> None:
    write = kind(stage)
    cache.flush()
    before = shown(stage)

    write()

    told = shown(stage)
    cache.flush()
    assert told == shown(stage)
    assert (told != before) == (kind is not issued), "held or sold, a seat is taken"


def test_every_statement_that_moves_what_is_shown_is_a_kind_of_write(tickets_db: TestDatabase) -> None:
    found = moving_statements(moving_functions(tickets_db))

    assert found == set().union(*WRITES.values()) | NOT_SHOWN


# ---- Redis goes and comes back


def test_while_redis_hangs_answers_are_right(stage: Stage, cache: Valkey) -> None:
    assert shown(stage)[1][0]["available"] == 3
    with hanging(cache.port):
        stage.held(2)
        assert shown(stage)[1][0]["available"] == 1


def test_what_redis_was_not_told_while_it_was_away_is_believed_for_a_second_when_it_is_back(
    stage: Stage, cache: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(stage)[1][0]["available"] == 3
    monkeypatch.setenv("CACHE_PORT", "9")
    service_cache.reset()
    stage.held(2)
    assert shown(stage)[1][0]["available"] == 1
    monkeypatch.setenv("CACHE_PORT", str(cache.port))
    stage.sales.extension.parameters["availability_trust_seconds"] = "1"
    forget_setting()

    left_behind = inventory_of(stage)
    assert left_behind.types[0].available == 3, "nobody could tell Redis of the write"
    at = left_behind.as_of + timedelta(seconds=1, milliseconds=1)

    assert use_case.of_event(database, stage.event_id, at).ticket_types[0].available == 1


def test_a_reader_who_was_slower_than_a_write_is_believed_for_a_second(stage: Stage) -> None:
    stage.sales.extension.parameters["availability_trust_seconds"] = "1"
    forget_setting()
    shown(stage)
    slow = inventory_of(stage)
    stage.held(2)
    inventory.keep(slow)

    def available(seconds: float) -> int:
        at = slow.as_of + timedelta(seconds=seconds)
        return use_case.of_event(database, stage.event_id, at).ticket_types[0].available

    assert available(0.999) == 3
    assert available(1.001) == 1


def test_what_claims_to_be_of_the_future_is_not_believed(stage: Stage) -> None:
    stage.sales.extension.parameters["availability_trust_seconds"] = "1"
    forget_setting()
    shown(stage)
    kept = inventory_of(stage)
    stage.sales.db.run("UPDATE ticket_types SET quantity_available = 1")

    before = kept.as_of - timedelta(seconds=2)
    assert use_case.of_event(database, stage.event_id, before).ticket_types[0].available == 1


def test_the_keys_and_their_times_are_the_design_documents(stage: Stage, cache: Valkey) -> None:
    shown(stage)
    redis = Redis(host=cache.host, port=cache.port)

    ttls = {key.decode(): redis.ttl(key) for key in redis.scan_iter()}

    assert set(ttls) == {f"event:{stage.event_id}", f"inventory:{stage.event_id}:{stage.type_id}"}
    assert 290 < ttls[f"inventory:{stage.event_id}:{stage.type_id}"] <= 300
    assert 3590 < ttls[f"event:{stage.event_id}"] <= 3600


def inventory_of(stage: Stage) -> inventory.Inventory:
    """What Redis holds, once it answers again."""
    service_cache.reset()
    kept = inventory.kept(stage.event_id)
    assert kept is not None
    return kept


def forget_setting() -> None:
    """Read the setting again at its next use."""
    AVAILABILITY_TRUST_SECONDS._value = None


def test_an_event_of_two_services_is_one_key_with_a_field_of_each(stage: Stage, cache: Valkey) -> None:
    """Neither service's write takes away what the other keeps."""
    service_cache.set_field(f"event:{stage.event_id}", "details", "{}", seconds=60)
    shown(stage)

    hear_of_event(stage.aws, stage.event_id, "updated", version=3)

    assert service_cache.field(f"event:{stage.event_id}", "details") == "{}"
    assert service_cache.field(f"event:{stage.event_id}", "tickets") is None
