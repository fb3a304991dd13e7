"""The last tickets and many buyers: exactly what there is is sold, through real handlers, processes and PostgreSQL.

Each race has its control: the same crowd against a database whose guard was taken away, where it goes wrong.
"""

from uuid import UUID

import pytest

from tests.support import a_user
from tests.ticket_crowd import Invocation, at_once, flat, reservation, route, statuses
from tests.ticket_sales import Sales

BUYERS = 8

LOOK_THEN_TAKE = """
    CREATE OR REPLACE FUNCTION take_stock(p_event_id UUID, p_type_id UUID, p_quantity INTEGER)
    RETURNS SETOF ticket_types LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT t.quantity_sold + t.quantity_held + p_quantity <= t.quantity_available
              FROM ticket_types t WHERE t.id = p_type_id) THEN
            PERFORM pg_sleep(0.2);
            RETURN QUERY UPDATE ticket_types t SET quantity_held = t.quantity_held + p_quantity
                          WHERE t.id = p_type_id RETURNING t.*;
        END IF;
    END $$
"""
WITHOUT_CHECK = "ALTER TABLE ticket_types DROP CONSTRAINT ticket_types_stock"
WITHOUT_LIMIT = """
    CREATE OR REPLACE FUNCTION take_allowance(p_type_id UUID, p_user_id UUID, p_quantity INTEGER, p_allowed INTEGER)
    RETURNS BOOLEAN LANGUAGE sql AS $$
        INSERT INTO ticket_type_buyers AS b (ticket_type_id, user_id, taken, allowed)
        VALUES (p_type_id, p_user_id, p_quantity, p_allowed)
        ON CONFLICT (ticket_type_id, user_id) DO UPDATE SET taken = b.taken + EXCLUDED.taken
        RETURNING TRUE
    $$
"""


def crowd(event_id: UUID, id: UUID, each: int) -> list[list[Invocation]]:
    """So many people in each of the processes, every one after one ticket."""
    return [[reservation(a_user(), event_id, {id: 1}) for _ in range(each)] for _ in range(BUYERS)]


def held_rows(sales: Sales) -> int:
    row = sales.db.one(
        "SELECT coalesce(sum(quantity), 0) AS held FROM ticket_reservations WHERE status = 'HELD'"
    )
    assert row is not None
    return int(row["held"])


def test_exactly_the_stock_is_sold(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=50)

    answers = at_once(*crowd(event_id, id, each=15))

    assert statuses(answers) == {201: 50, 409: 70}
    assert {answer.code for answer in flat(answers) if answer.status == 409} == {"SOLD_OUT"}
    assert (sales.stock(id), held_rows(sales)) == ((0, 50), 50)


def test_control_looking_before_taking_oversells(sales: Sales) -> None:
    sales.db.run(LOOK_THEN_TAKE)
    sales.db.run(WITHOUT_CHECK)
    event_id = sales.event()
    id = sales.type(event_id, quantity=5)

    answers = at_once(*crowd(event_id, id, each=5))

    assert statuses(answers)[201] > 5
    assert sales.stock(id)[1] > 5


def test_behind_a_broken_guard_the_check_still_sells_no_more_than_there_is(sales: Sales) -> None:
    sales.db.run(LOOK_THEN_TAKE)
    event_id = sales.event()
    id = sales.type(event_id, quantity=5)

    answers = at_once(*crowd(event_id, id, each=5))

    assert statuses(answers) == {201: 5, 409: 35}
    assert {answer.code for answer in flat(answers) if answer.status == 409} == {"SOLD_OUT"}
    assert (sales.stock(id), held_rows(sales)) == ((0, 5), 5)


def test_seats_whose_holds_ran_out_are_sold_again_exactly_once(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=20)
    for _ in range(10):
        sales.run_out(sales.held(a_user(), event_id, {id: 2}))

    answers = at_once(*crowd(event_id, id, each=5))

    assert statuses(answers) == {201: 20, 409: 20}
    assert (sales.stock(id), held_rows(sales)) == ((0, 20), 20)


def test_a_crowd_that_also_gives_back_ends_with_what_it_holds(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=10)
    kept = [(buyer := a_user(), sales.held(buyer, event_id, {id: 1})) for _ in range(10)]
    releases = [
        route(
            "release_reservation",
            "DELETE",
            f"/api/tickets/reservations/{held}",
            buyer,
            resource="/api/tickets/reservations/{reservationId}",
        )
        for buyer, held in kept
    ]

    answers = at_once(releases, releases, *crowd(event_id, id, each=10)[:6])

    sold = statuses(answers)[201]
    assert statuses(answers)[204] == 20
    assert 0 < sold <= 10
    assert (sales.stock(id), held_rows(sales)) == ((0, sold), sold)


def test_one_person_in_many_windows_gets_what_one_person_may(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=5)

    answers = at_once(*[[reservation(buyer, event_id, {id: 1})] * 4 for _ in range(BUYERS)])

    assert statuses(answers) == {201: 5, 409: 27}
    assert {answer.code for answer in flat(answers) if answer.status == 409} == {"PER_PERSON_LIMIT"}
    assert (sales.taken(id, buyer), sales.stock(id)) == (5, (0, 5))


def test_control_without_its_guard_the_limit_is_passed(sales: Sales) -> None:
    sales.db.run(WITHOUT_LIMIT)
    sales.db.run("ALTER TABLE ticket_type_buyers DROP CONSTRAINT ticket_type_buyers_limit")
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=5)
    at_once(*[[reservation(buyer, event_id, {id: 1})] * 4 for _ in range(BUYERS)])
    assert sales.taken(id, buyer) > 5


def test_behind_a_broken_guard_the_check_still_keeps_the_limit(sales: Sales) -> None:
    sales.db.run(WITHOUT_LIMIT)
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=5)
    answers = at_once(*[[reservation(buyer, event_id, {id: 1})] * 4 for _ in range(BUYERS)])
    assert (statuses(answers), sales.taken(id, buyer)) == ({201: 5, 409: 27}, 5)


def both_ways(sales: Sales) -> tuple[dict[int, int], tuple[UUID, UUID, UUID]]:
    """Orders over three types, each process naming them in another order; the statuses, and the types."""
    event_id = sales.event()
    a, b, c = (sales.type(event_id, quantity=1000, limit=1000) for _ in range(3))
    turns = [(a, b, c), (c, b, a), (b, a, c), (c, a, b)]
    lines = [
        [reservation(a_user(), event_id, dict.fromkeys(turns[n % 4], 1)) for _ in range(10)]
        for n in range(BUYERS)
    ]
    return statuses(at_once(*lines)), (a, b, c)


def test_orders_that_name_their_types_in_opposite_orders_do_not_wait_for_each_other_forever(
    sales: Sales,
) -> None:
    answers, types = both_ways(sales)
    assert answers == {201: 80}
    assert [sales.stock(id) for id in types] == [(0, 80)] * 3


def test_control_taking_them_in_the_order_asked_for_deadlocks(sales: Sales) -> None:
    row = sales.db.one("SELECT pg_get_functiondef('hold_tickets'::regproc) AS source")
    assert row is not None
    source = str(row["source"])
    for ours, theirs in [
        ("ORDER BY w.type_id", "ORDER BY w.position"),
        ("RETURN NEXT v_held;", "RETURN NEXT v_held; PERFORM pg_sleep(0.005);"),
    ]:
        assert source.count(ours) == 1
        source = source.replace(ours, theirs)
    sales.db.run(source)
    sales.db.run("ALTER DATABASE " + sales.db.name + " SET deadlock_timeout = '20ms'")

    answers, _ = both_ways(sales)

    assert answers.get(503, 0) > 0


def test_duplicates_of_one_request_that_arrive_together_hold_once(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)

    answers = at_once(*[[reservation(buyer, event_id, {id: 2}, key="double-click")] for _ in range(BUYERS)])

    assert statuses(answers) == {201: BUYERS}
    assert len({answer.body["reservationId"] for answer in flat(answers)}) == 1
    assert sales.stock(id) == (0, 2)


def test_control_without_the_key_every_duplicate_holds(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=100)
    at_once(*[[reservation(buyer, event_id, {id: 2})] for _ in range(BUYERS)])
    assert sales.stock(id) == (0, 2 * BUYERS)


@pytest.mark.parametrize("capacity", [3, 30])
def test_a_quantity_made_smaller_during_the_sale_is_never_passed(sales: Sales, capacity: int) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=60)
    body = {"name": "Stalls", "price": "10", "quantityAvailable": capacity}
    shrink = route(
        "update_ticket_type",
        "PUT",
        f"/api/tickets/types/{id}",
        sales.organizer,
        body,
        resource="/api/tickets/types/{ticketTypeId}",
    )

    answers = at_once([shrink] * 5, *crowd(event_id, id, each=10)[1:])

    row = sales.db.one("SELECT * FROM ticket_types")
    assert row is not None
    shrunk = 200 in {answer.status for answer in answers[0]}
    sold = [answer.status for line in answers[1:] for answer in line].count(201)
    assert row["quantity_available"] == (capacity if shrunk else 60)
    assert row["quantity_held"] == sold <= row["quantity_available"]
