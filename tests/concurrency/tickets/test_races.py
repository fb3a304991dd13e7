"""Two that want the same reservation, order or ticket at the same moment: one of them gets it.

Where two statements race, one of them is stopped in the middle: a transaction that a test keeps open.
"""

from datetime import timedelta
from uuid import UUID, uuid4

from functions.tickets.jobs import expire_holds
from functions.tickets.routes import delete_ticket_type
from shared.clock import now
from tests.rivals import Later, half_done
from tests.support import Reply, a_user, call, context
from tests.ticket_crowd import Answer, at_once, flat, job, purchase, route, statuses, task
from tests.ticket_sales import Sales

PROCESSES = 6


def stock_and_rows(sales: Sales, id: UUID) -> tuple[int, int]:
    """What the counter says is held, and what the reservations say."""
    row = sales.db.one(
        "SELECT coalesce(sum(quantity), 0) AS held FROM ticket_reservations WHERE status IN ('HELD', 'BOUND')"
    )
    assert row is not None
    return sales.stock(id)[1], int(row["held"])


# ---- the first buyer and the organizer


def test_a_type_is_not_deleted_while_its_first_ticket_is_being_held(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    hold = "SELECT hold_tickets(%(id)s, %(id)s, %(event)s, ARRAY[%(type)s]::UUID[], ARRAY[1], now(), 600)"
    with half_done(sales.db, hold, id=str(uuid4()), event=event_id, type=id) as buyer:
        path = f"/api/tickets/types/{id}"
        deleted = Later(lambda: call(delete_ticket_type.handler, "DELETE", path, user=sales.organizer))
        assert deleted.is_waiting()
        buyer.commit()
    reply: Reply = deleted.result()
    assert (reply.status, reply.code) == (409, "TICKETS_TAKEN")
    assert stock_and_rows(sales, id) == (1, 1)


# ---- purchase and expiry


def test_a_reservation_that_is_being_bought_is_not_swept(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {id: 2})
    sales.run_out(reservation)
    lock = "SELECT FROM ticket_reservations WHERE reservation_id = %(id)s FOR NO KEY UPDATE"
    with half_done(sales.db, lock, id=reservation):
        assert expire_holds.handler({}, context()) == {"handled": 0}
        assert sales.reserve(a_user(), event_id, {id: 1}).status == 201, "nobody else waits for it"
    assert expire_holds.handler({}, context()) == {"handled": 1}


def test_a_buyer_who_meets_the_sweep_waits_for_it_and_is_told_that_the_hold_is_over(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {id: 2})
    later = now() + timedelta(hours=1)  # a sweep whose clock is fast
    with half_done(sales.db, "SELECT expire_holds(%(now)s, 10)", now=later) as sweep:
        bought = Later(lambda: sales.purchase(buyer, reservation))
        assert bought.is_waiting()
        sweep.commit()
    reply: Reply = bought.result()
    assert (reply.status, reply.code) == (409, "RESERVATION_EXPIRED")
    assert (stock_and_rows(sales, id), sales.db.all("SELECT * FROM purchases")) == ((0, 0), [])


def test_control_a_buyer_who_looks_without_locking_buys_seats_that_went_back(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {id: 2})
    seen = sales.statuses(reservation)
    with half_done(sales.db, "SELECT expire_holds(%(now)s, 10)", now=now() + timedelta(hours=1)) as sweep:
        sweep.commit()
    assert seen == ["HELD"]
    sales.db.run("UPDATE ticket_reservations SET status = 'BOUND', order_id = gen_random_uuid()")
    assert stock_and_rows(sales, id) == (0, 2)


def test_nobody_waits_for_the_last_seat_while_it_is_being_bought(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, quantity=1)
    reservation = sales.held(buyer, event_id, {id: 1})
    sales.run_out(reservation)
    lock = "SELECT FROM ticket_reservations WHERE reservation_id = %(id)s FOR NO KEY UPDATE"
    with half_done(sales.db, lock, id=reservation):
        refused = Later(lambda: sales.reserve(a_user(), event_id, {id: 1}))
        assert not refused.is_waiting(), "with the type's lock, which the purchase may want next"
    reply: Reply = refused.result()
    assert (reply.status, reply.code) == (409, "SOLD_OUT")


def test_a_buyer_who_meets_a_neighbour_reclaiming_the_last_seat_waits_and_gets_what_comes_of_it(
    sales: Sales,
) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=1)
    sales.run_out(sales.held(a_user(), event_id, {id: 1}))
    reclaim = "SELECT reclaim_expired_holds(%(id)s, now())"
    with half_done(sales.db, reclaim, id=id) as neighbour:
        reserved = Later(lambda: sales.reserve(a_user(), event_id, {id: 1}))
        assert reserved.is_waiting(), "told that it is sold out while its seat comes back"
        neighbour.commit()
    reply: Reply = reserved.result()
    assert (reply.status, stock_and_rows(sales, id)) == (201, (1, 1))


def test_at_the_end_of_their_holds_each_reservation_is_bought_or_swept(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=200)
    people = [a_user() for _ in range(80)]
    held = [sales.held(buyer, event_id, {id: 1}) for buyer in people]
    # A few are over, a few have time, and most end while the crowd is at it.
    sales.db.run("UPDATE ticket_reservations SET reserved_until = now() + random() * interval '1.5 seconds'")
    sales.run_out(held[0])
    sales.run_out(held[1], seconds_ago=-600)
    calls = [purchase(buyer, reservation) for buyer, reservation in zip(people, held, strict=True)]

    answers = at_once(
        *[calls[n::4] for n in range(4)], [job("expire_holds")] * 200, [job("expire_holds")] * 200
    )
    expire_holds.handler({}, context())

    bought = {answer.body["orderId"] for answer in flat(answers) if answer.status == 202}
    refused = [answer.code for answer in flat(answers) if answer.status == 409]
    assert len(bought) + len(refused) == 80
    assert bought
    assert set(refused) == {"RESERVATION_EXPIRED"}
    counts = sales.db.all("SELECT status, count(*) AS n FROM ticket_reservations GROUP BY status")
    by_status = {row["status"]: row["n"] for row in counts}
    assert by_status.get("BOUND", 0) == len(bought)
    sales.db.run("UPDATE ticket_reservations SET reserved_until = now() WHERE status = 'HELD'")
    expire_holds.handler({}, context())
    assert stock_and_rows(sales, id) == (len(bought), len(bought))


# ---- issue and release


def outcomes(answers: list[list[Answer]]) -> list[str]:
    """The outcomes of tasks; an error would be none."""
    return [answer.body["outcome"] if answer.status == 200 else str(answer.body) for answer in flat(answers)]


def test_an_order_issued_by_many_at_once_has_its_tickets_once(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 3})
    answers = at_once(*[[task("issue", order_id)] for _ in range(PROCESSES)])
    assert outcomes(answers) == ["issued"] * PROCESSES
    assert (len(sales.tickets(order_id)), sales.stock(id)) == (3, (3, 0))
    assert len(sales.outbox("tickets.order_issued.v1")) == 1


def test_an_order_released_by_many_at_once_gives_back_once(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    sales.held(a_user(), event_id, {id: 5})
    order_id = sales.order(a_user(), event_id, {id: 3})
    answers = at_once(*[[task("release", order_id)] for _ in range(PROCESSES)])
    assert outcomes(answers) == ["released"] * PROCESSES
    assert sales.stock(id) == (0, 5)


def test_issue_and_release_at_once_end_with_seats_on_sale_and_no_valid_ticket(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    orders = [sales.order(a_user(), event_id, {id: 2}) for _ in range(12)]
    issues = [task("issue", order_id) for order_id in orders]
    releases = [task("release", order_id) for order_id in orders]

    answers = at_once(issues, releases, issues[::-1], releases[::-1])

    assert set(outcomes(answers)) <= {"issued", "released", "refused"}
    assert (sales.stock(id), stock_and_rows(sales, id)) == ((0, 0), (0, 0))
    assert sales.db.all("SELECT * FROM tickets WHERE status <> 'VOID'") == []
    first = dict(zip(orders, answers[0], strict=True))
    again = dict(zip(orders[::-1], answers[2], strict=True))
    for order_id in orders:
        assert sales.purchase_row(order_id)["status"] == "RELEASED"
        was_issued = "issued" in (first[order_id].body["outcome"], again[order_id].body["outcome"])
        assert len(sales.tickets(order_id)) == (2 if was_issued else 0)
        assert [version for version, _ in sales.history(order_id)] == ([1, 2, 3] if was_issued else [1, 2])


def test_control_an_issue_that_looks_without_locking_sells_seats_that_went_back(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    sales.held(a_user(), event_id, {id: 5})
    order_id = sales.order(a_user(), event_id, {id: 2})
    seen = sales.purchase_row(order_id)["status"]
    sales.release(order_id)
    assert seen == "BOUND"
    sales.db.run(
        "UPDATE ticket_types SET quantity_sold = quantity_sold + 2, quantity_held = quantity_held - 2"
    )
    assert stock_and_rows(sales, id) == (3, 5)


def test_issue_waits_for_a_release_that_is_under_way_and_then_refuses(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    lock = "UPDATE purchases SET status = 'RELEASED' WHERE order_id = %(id)s"
    with half_done(sales.db, lock, id=order_id) as release:
        issued = Later(lambda: sales.issue(order_id))
        assert issued.is_waiting()
        release.commit()
    assert issued.result() == {"outcome": "refused", "reason": "SEATS_RELEASED"}


def test_issue_waits_for_a_cancellation_that_is_under_way_and_then_refuses(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    with half_done(sales.db, "UPDATE event_copies SET status = 'CANCELLED'") as cancellation:
        issued = Later(lambda: sales.issue(order_id))
        assert issued.is_waiting()
        cancellation.commit()
    assert issued.result() == {"outcome": "refused", "reason": "EVENT_CANCELLED"}


# ---- one ticket, many doors


def test_a_ticket_scanned_at_every_door_lets_one_person_in(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    body = {"qrCode": row["qr_code"]}
    scan = route("check_in", "POST", "/api/tickets/check-in", sales.organizer, body)

    answers = at_once(*[[scan] * 3 for _ in range(PROCESSES)])

    assert statuses(answers) == {200: 1, 409: 3 * PROCESSES - 1}
    assert {answer.code for answer in flat(answers) if answer.status == 409} == {"ALREADY_USED"}
    assert len(sales.ticket_history(row["id"])) == 2


def test_a_second_door_waits_for_the_first_one(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    use = "UPDATE tickets SET status = 'USED', checked_in_at = now(), version = 2"
    body = {"qrCode": row["qr_code"]}
    scan = route("check_in", "POST", "/api/tickets/check-in", sales.organizer, body)
    with half_done(sales.db, use) as first_door:
        second = Later(lambda: at_once([scan]))
        assert second.is_waiting()
        first_door.commit()
    assert [answer.code for answer in flat(second.result())] == ["ALREADY_USED"]


def test_control_a_door_that_looks_before_it_writes_lets_both_in(sales: Sales) -> None:
    event_id = sales.event()
    sales.issued(a_user(), event_id, {sales.type(event_id): 1})
    look = "SELECT status FROM tickets"
    use = "UPDATE tickets SET status = 'USED', checked_in_at = now()"  # without `AND status = 'ACTIVE'`
    with half_done(sales.db, look) as first_door, half_done(sales.db, look) as second_door:
        used = []
        for door in (first_door, second_door):
            cursor = door.cursor()
            cursor.execute(use)
            used.append(cursor.rowcount)
            door.commit()
    assert used == [1, 1]


def test_a_ticket_is_mailed_again_three_times_however_many_ask_at_once(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    path = f"/api/tickets/{row['id']}/resend"
    resend = route("resend_ticket", "POST", path, buyer, resource="/api/tickets/{ticketId}/resend")
    answers = at_once(*[[resend] for _ in range(PROCESSES)])
    assert statuses(answers) == {202: 3, 429: PROCESSES - 3}
    assert len(sales.outbox("notifications.mail_requested.v1")) == 3


def test_two_first_types_in_two_currencies_leave_the_event_with_one(sales: Sales) -> None:
    event_id = sales.event_of_events()
    terms = {"eventId": str(event_id), "name": "Stalls", "price": "10", "quantityAvailable": 5}
    lines = [
        [
            route(
                "create_ticket_type",
                "POST",
                "/api/tickets/types",
                sales.organizer,
                {**terms, "currency": currency},
            )
        ]
        for currency in ("EUR", "USD", "EUR", "USD")
    ]
    answers = at_once(*lines)
    assert statuses(answers) == {201: 2, 409: 2}
    assert len(sales.db.all("SELECT DISTINCT currency FROM ticket_types")) == 1


def test_a_type_that_is_being_made_is_waited_for_by_who_deletes_the_last_other(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    making = """
        UPDATE event_copies SET currency = coalesce(currency, 'EUR') WHERE event_id = %(id)s;
        INSERT INTO ticket_types (event_id, name, price, currency, quantity_available, created_at, updated_at)
        VALUES (%(id)s, 'Other', 1, 'EUR', 1, now(), now())"""
    with half_done(sales.db, making, id=event_id) as maker:
        path = f"/api/tickets/types/{id}"
        deleted = Later(lambda: call(delete_ticket_type.handler, "DELETE", path, user=sales.organizer))
        assert deleted.is_blocked(sales.db)
        maker.commit()
    assert deleted.result().status == 204
    assert sales.db.one("SELECT currency FROM event_copies WHERE event_id = %(id)s", id=event_id) == {
        "currency": "EUR"
    }
