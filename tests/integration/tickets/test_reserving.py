"""Reserving: all or nothing, at frozen prices, within stock, limit and sale."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from functions.notifications.rendering import MAX_PICTURES
from functions.tickets.models import MAX_TICKETS_PER_RESERVATION
from functions.tickets.routes import release_reservation, reserve
from shared.clock import now
from shared.identity import User
from tests.support import Reply, a_user, call
from tests.ticket_sales import Sales


def give_back(buyer: User, reservation_id: str) -> Reply:
    path = f"/api/tickets/reservations/{reservation_id}"
    return call(release_reservation.handler, "DELETE", path, user=buyer)


def test_a_reservation_holds_every_item_in_the_order_asked_for(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = sales.type(event_id, price="49.50"), sales.type(event_id, price="20")

    reply = sales.reserve(buyer, event_id, {balcony: 1, stalls: 2})

    assert reply.status == 201
    assert [item["ticketTypeId"] for item in reply.body["items"]] == [str(balcony), str(stalls)]
    assert reply.body["items"][1] == {
        "ticketTypeId": str(stalls),
        "name": "Stalls",
        "quantity": 2,
        "unitPrice": "49.50",
        "totalPrice": "99.00",
    }
    assert (reply.body["totalAmount"], reply.body["currency"]) == ("119.00", "EUR")
    assert (sales.stock(stalls), sales.stock(balcony)) == ((0, 2), (0, 1))


def test_a_reservation_is_of_no_more_tickets_than_a_mail_shows(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = (sales.type(event_id, 200, limit=100) for _ in range(2))

    refused = sales.reserve(buyer, event_id, {stalls: 100, balcony: 1})
    assert (refused.status, refused.fields) == (400, {"items"})
    assert sales.reserve(buyer, event_id, {stalls: 99, balcony: 1}).status == 201
    assert MAX_TICKETS_PER_RESERVATION <= MAX_PICTURES


def test_a_reservation_lasts_as_long_as_the_setting_says(sales: Sales) -> None:
    sales.extension.parameters["hold_seconds"] = "42"
    event_id = sales.event()
    before = now()
    reply = sales.reserve(a_user(), event_id, {sales.type(event_id): 1})
    lasts = datetime.fromisoformat(reply.body["reservedUntil"]) - before
    assert timedelta(seconds=41.9) < lasts < timedelta(seconds=47)


def test_the_last_ticket_is_sold_once_and_the_next_buyer_is_told_sold_out(sales: Sales) -> None:
    event_id = sales.event()
    last = sales.type(event_id, quantity=1)
    assert sales.reserve(a_user(), event_id, {last: 1}).status == 201

    reply = sales.reserve(a_user(), event_id, {last: 1})

    assert (reply.status, reply.code, reply.fields) == (409, "SOLD_OUT", {"items[0].ticketTypeId"})


def test_a_buyer_who_wants_too_many_is_told_how_many_are_left(sales: Sales) -> None:
    event_id = sales.event()
    reply = sales.reserve(a_user(), event_id, {sales.type(event_id, quantity=2): 3})
    assert reply.body["error"]["details"] == [{"field": "items[0].ticketTypeId", "message": "Only 2 left"}]


def test_when_one_item_is_refused_nothing_is_held(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    plenty, scarce = sales.type(event_id), sales.type(event_id, quantity=1)

    reply = sales.reserve(buyer, event_id, {plenty: 2, scarce: 2})

    assert (reply.code, reply.fields) == ("SOLD_OUT", {"items[1].ticketTypeId"})
    assert (sales.stock(plenty), sales.taken(plenty, buyer)) == ((0, 0), 0)
    assert sales.db.all("SELECT * FROM ticket_reservations") == []


def test_the_limit_counts_what_a_person_holds_across_reservations(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    limited = sales.type(event_id, limit=3)
    sales.held(buyer, event_id, {limited: 2})

    reply = sales.reserve(buyer, event_id, {limited: 2})

    assert (reply.status, reply.code) == (409, "PER_PERSON_LIMIT")
    assert reply.fields == {"items[0].ticketTypeId"}
    assert sales.reserve(buyer, event_id, {limited: 1}).status == 201
    assert sales.reserve(a_user(), event_id, {limited: 3}).status == 201


def test_more_than_the_limit_at_once_is_refused(sales: Sales) -> None:
    event_id = sales.event()
    reply = sales.reserve(a_user(), event_id, {sales.type(event_id, limit=3): 4})
    assert (reply.status, reply.code) == (409, "PER_PERSON_LIMIT")
    assert reply.body["error"]["details"] == [
        {"field": "items[0].ticketTypeId", "message": "At most 3 per person"}
    ]


def test_the_limit_counts_what_a_person_has_bought(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    limited = sales.type(event_id, limit=2)
    sales.issued(buyer, event_id, {limited: 2})
    assert sales.reserve(buyer, event_id, {limited: 1}).code == "PER_PERSON_LIMIT"


def test_a_hold_that_ran_out_does_not_count_against_its_buyers_limit(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    limited = sales.type(event_id, limit=2)
    old = sales.held(buyer, event_id, {limited: 2})
    sales.run_out(old)

    assert sales.reserve(buyer, event_id, {limited: 2}).status == 201

    assert (sales.taken(limited, buyer), sales.stock(limited)) == (2, (0, 2))
    assert sales.statuses(old) == ["EXPIRED"]


def test_holds_that_ran_out_come_back_when_they_are_wanted(sales: Sales) -> None:
    event_id, late = sales.event(), a_user()
    scarce = sales.type(event_id, quantity=2)
    old = sales.held(late, event_id, {scarce: 2})
    sales.run_out(old)

    assert sales.reserve(a_user(), event_id, {scarce: 2}).status == 201

    assert (sales.stock(scarce), sales.taken(scarce, late)) == ((0, 2), 0)
    assert sales.statuses(old) == ["EXPIRED"]


def test_bound_seats_never_come_back_by_themselves(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    scarce = sales.type(event_id, quantity=1)
    reservation = sales.held(buyer, event_id, {scarce: 1})
    assert sales.purchase(buyer, reservation).status == 202
    sales.run_out(reservation)

    assert sales.reserve(a_user(), event_id, {scarce: 1}).code == "SOLD_OUT"
    assert sales.statuses(reservation) == ["BOUND"]


@pytest.mark.parametrize(("starts_in", "ends_in"), [(60, None), (None, -60), (-120, -60)])
def test_outside_its_sale_a_type_is_not_sold(
    sales: Sales, starts_in: int | None, ends_in: int | None
) -> None:
    event_id = sales.event()
    starts, ends = (
        None if seconds is None else now() + timedelta(seconds=seconds) for seconds in (starts_in, ends_in)
    )
    closed = sales.type(event_id, starts=starts, ends=ends)

    reply = sales.reserve(a_user(), event_id, {closed: 1})

    assert (reply.status, reply.code, reply.fields) == (409, "SALE_CLOSED", {"items[0].ticketTypeId"})
    assert sales.stock(closed) == (0, 0)


def test_nothing_is_sold_once_the_event_has_begun(sales: Sales) -> None:
    event_id = sales.event(days_ahead=-0.01)
    assert sales.reserve(a_user(), event_id, {sales.type(event_id): 1}).code == "SALE_CLOSED"


def test_a_cancelled_event_sells_nothing(sales: Sales) -> None:
    event_id = sales.event(status="CANCELLED")
    reply = sales.reserve(a_user(), event_id, {sales.type(event_id): 1})
    assert (reply.status, reply.code) == (409, "SALE_CLOSED")


def test_a_draft_and_an_unknown_event_are_not_found(sales: Sales) -> None:
    draft = sales.event(status="DRAFT")
    assert sales.reserve(a_user(), draft, {sales.type(draft): 1}).status == 404
    assert sales.reserve(a_user(), uuid4(), {uuid4(): 1}).status == 404


def test_a_type_of_another_event_is_not_found(sales: Sales) -> None:
    event_id, other = sales.event(), sales.event()
    stranger = sales.type(other)
    reply = sales.reserve(a_user(), event_id, {sales.type(event_id): 1, stranger: 1})
    assert (reply.status, reply.fields) == (404, {"items[1].ticketTypeId"})
    assert sales.stock(stranger) == (0, 0)


def test_an_event_published_a_moment_ago_sells_before_the_news_arrives(sales: Sales) -> None:
    """Its copy here is still the draft that its ticket types were made of."""
    event_id = sales.event_of_events(version=3)
    sales.db.run(
        """
        INSERT INTO event_copies (event_id, organizer_id, name, event_date, time_zone, venue_name, venue_address,
                                  status, version, currency, refreshed_at)
        VALUES (%(id)s, %(organizer)s, 'Draft', now() + interval '1 day', 'UTC', 'v', 'a', 'DRAFT', 1, 'EUR', now())
        """,
        id=event_id,
        organizer=sales.organizer.id,
    )
    stalls = sales.type(event_id)

    assert sales.reserve(a_user(), event_id, {stalls: 1}).status == 201
    assert sales.events.asked == [f"/api/events/{event_id}"]
    assert sales.reserve(a_user(), event_id, {stalls: 1}).status == 201
    assert len(sales.events.asked) == 1, "the copy is kept"


def test_while_the_events_service_is_down_an_unknown_event_is_503_and_a_known_one_sells(sales: Sales) -> None:
    sales.events.is_down = True
    known = sales.event()
    reply = sales.reserve(a_user(), uuid4(), {uuid4(): 1})
    assert (reply.status, "Retry-After" in reply.headers) == (503, True)
    assert sales.reserve(a_user(), known, {sales.type(known): 1}).status == 201


def test_a_service_that_fails_again_and_again_is_left_alone_and_known_events_sell_on(sales: Sales) -> None:
    sales.events.is_down = True
    for _ in range(5):
        sales.reserve(a_user(), uuid4(), {uuid4(): 1})
    asked = len(sales.events.asked)
    known = sales.event()

    reply = sales.reserve(a_user(), uuid4(), {uuid4(): 1})

    assert (reply.status, 1 <= int(reply.headers["Retry-After"]) <= 30) == (503, True)
    assert len(sales.events.asked) == asked
    assert sales.reserve(a_user(), known, {sales.type(known): 1}).status == 201


def test_a_price_change_does_not_reach_what_is_held(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id, price="10")
    reservation = sales.held(buyer, event_id, {stalls: 1})
    sales.db.run("UPDATE ticket_types SET price = 99")

    order_id = sales.purchase(buyer, reservation).body["orderId"]

    assert str(sales.purchase_row(order_id)["total_amount"]) == "10.00"


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ([{"ticketTypeId": str(uuid4()), "quantity": 0}], "items[0].quantity"),
        ([{"ticketTypeId": str(uuid4()), "quantity": -1}], "items[0].quantity"),
        ([{"ticketTypeId": str(uuid4()), "quantity": 101}], "items[0].quantity"),
        ([{"ticketTypeId": str(uuid4()), "quantity": 1.5}], "items[0].quantity"),
        ([{"ticketTypeId": str(uuid4()), "quantity": "2"}], "items[0].quantity"),
        ([{"ticketTypeId": str(uuid4()), "quantity": True}], "items[0].quantity"),
        ([{"ticketTypeId": "stalls", "quantity": 1}], "items[0].ticketTypeId"),
        ([{"ticketTypeId": str(uuid4()), "quantity": 1, "price": "0.01"}], "items[0].price"),
        ([{"quantity": 1}], "items[0].ticketTypeId"),
        ([{"ticketTypeId": str(uuid4()), "quantity": 1} for _ in range(21)], "items"),
    ],
)
def test_a_malformed_item_is_named(sales: Sales, items: list[object], field: str) -> None:
    body = {"eventId": str(uuid4()), "items": items}
    reply = call(reserve.handler, "POST", "/api/tickets/reserve", user=a_user(), body=body)
    assert (reply.status, reply.code, reply.fields) == (400, "VALIDATION_ERROR", {field})


def test_a_type_named_twice_is_refused(sales: Sales) -> None:
    event_id = sales.event()
    stalls = sales.type(event_id)
    item = {"ticketTypeId": str(stalls), "quantity": 1}
    body = {"eventId": str(event_id), "items": [item, item]}
    reply = call(reserve.handler, "POST", "/api/tickets/reserve", user=a_user(), body=body)
    assert (reply.status, reply.fields) == (400, {"items[1].ticketTypeId"})
    assert sales.stock(stalls) == (0, 0)


def test_an_order_that_no_card_could_pay_is_refused(sales: Sales) -> None:
    event_id = sales.event()
    dear = sales.type(event_id, price="999999.99")
    reply = sales.reserve(a_user(), event_id, {dear: 2})
    assert (reply.status, reply.fields, sales.stock(dear)) == (400, {"items"}, (0, 0))


def test_the_same_key_reserves_once(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id)
    first = sales.reserve(buyer, event_id, {stalls: 1}, **{"Idempotency-Key": "once"})
    again = sales.reserve(buyer, event_id, {stalls: 1}, **{"Idempotency-Key": "once"})
    other = sales.reserve(buyer, event_id, {stalls: 2}, **{"Idempotency-Key": "once"})

    assert (first.body, again.headers["Idempotency-Replayed"]) == (again.body, "true")
    assert (other.status, other.code) == (409, "IDEMPOTENCY_CONFLICT")
    assert sales.stock(stalls) == (0, 1)


def test_a_refusal_is_not_kept_under_its_key(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    scarce = sales.type(event_id, quantity=1)
    held = sales.held(other := a_user(), event_id, {scarce: 1})
    assert sales.reserve(buyer, event_id, {scarce: 1}, **{"Idempotency-Key": "k"}).status == 409
    assert give_back(other, held).status == 204
    assert sales.reserve(buyer, event_id, {scarce: 1}, **{"Idempotency-Key": "k"}).status == 201


def test_a_released_reservation_gives_stock_and_limit_back_at_once(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = sales.type(event_id, quantity=2, limit=2), sales.type(event_id)
    reservation = sales.held(buyer, event_id, {stalls: 2, balcony: 1})

    assert give_back(buyer, reservation).status == 204

    assert (sales.stock(stalls), sales.stock(balcony), sales.taken(stalls, buyer)) == ((0, 0), (0, 0), 0)
    assert sales.statuses(reservation) == ["RELEASED", "RELEASED"]
    assert sales.reserve(buyer, event_id, {stalls: 2}).status == 201


def test_releasing_twice_gives_back_once(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id)
    sales.held(a_user(), event_id, {stalls: 3})
    reservation = sales.held(buyer, event_id, {stalls: 2})
    assert [give_back(buyer, reservation).status for _ in range(2)] == [204, 204]
    assert sales.stock(stalls) == (0, 3)


def test_someone_elses_reservation_is_not_found(sales: Sales) -> None:
    event_id = sales.event()
    stalls = sales.type(event_id)
    reservation = sales.held(a_user(), event_id, {stalls: 2})
    assert give_back(a_user(), reservation).status == 404
    assert give_back(a_user(), str(uuid4())).status == 404
    assert sales.stock(stalls) == (0, 2)


def test_a_reservation_that_is_being_bought_cannot_be_released(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {stalls: 2})
    sales.purchase(buyer, reservation)
    reply = give_back(buyer, reservation)
    assert (reply.status, reply.code, sales.stock(stalls)) == (409, "RESERVATION_PURCHASED", (0, 2))
