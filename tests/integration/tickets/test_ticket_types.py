"""Ticket types: an organizer's own, in one currency, never below what is taken."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.tickets.models import CURRENCIES
from functions.tickets.routes import (
    create_ticket_type,
    delete_ticket_type,
    list_ticket_types,
    update_ticket_type,
)
from functions.tickets.settings import MINIMUM_PRICES
from local.stripe_simulator.currencies import check_charge
from shared.clock import iso, now
from shared.identity import Role, User
from tests.support import Reply, a_user, call
from tests.ticket_sales import Sales

TERMS: dict[str, Any] = {"name": "Stalls", "price": "49.50", "quantityAvailable": 100}


def create(user: User, event_id: UUID, **changes: Any) -> Reply:
    body = {"eventId": str(event_id), **TERMS, **changes}
    return call(create_ticket_type.handler, "POST", "/api/tickets/types", user=user, body=body)


def update(user: User, id: UUID, **changes: Any) -> Reply:
    body = {**TERMS, **changes}
    return call(update_ticket_type.handler, "PUT", f"/api/tickets/types/{id}", user=user, body=body)


def delete(user: User, id: UUID) -> Reply:
    return call(delete_ticket_type.handler, "DELETE", f"/api/tickets/types/{id}", user=user)


def listed(user: User, event_id: UUID, **query: Any) -> Reply:
    query = {"eventId": event_id, **query}
    return call(list_ticket_types.handler, "GET", "/api/tickets/types", user=user, query=query)


def test_a_type_of_a_draft_is_made_and_listed(sales: Sales) -> None:
    event_id = sales.event_of_events(status="DRAFT", version=1)
    start, end = iso(now()), iso(now() + timedelta(days=1))

    made = create(
        sales.organizer,
        event_id,
        description="Good seats",
        currency="EUR",
        perPersonLimit=4,
        venueZone="A",
        saleStartDate=start,
        saleEndDate=end,
    )

    assert made.status == 201
    assert made.body == {
        "id": made.body["id"],
        "eventId": str(event_id),
        "name": "Stalls",
        "description": "Good seats",
        "price": "49.50",
        "currency": "EUR",
        "quantityAvailable": 100,
        "quantitySold": 0,
        "quantityHeld": 0,
        "saleStartDate": start,
        "saleEndDate": end,
        "perPersonLimit": 4,
        "venueZone": "A",
        "createdAt": made.body["createdAt"],
    }
    assert listed(sales.organizer, event_id).body == {"items": [made.body], "nextCursor": None}


def test_what_is_not_said_has_defaults(sales: Sales) -> None:
    made = create(sales.organizer, sales.event_of_events()).body
    assert (made["currency"], made["perPersonLimit"], made["description"]) == ("USD", 10, None)


def test_an_event_has_one_currency(sales: Sales) -> None:
    event_id = sales.event_of_events()
    assert create(sales.organizer, event_id, currency="EUR").status == 201
    reply = create(sales.organizer, event_id, currency="USD")
    assert (reply.status, reply.code, reply.fields) == (409, "ONE_CURRENCY_PER_EVENT", {"currency"})
    assert create(sales.organizer, event_id).body["currency"] == "EUR"


def test_once_its_last_type_is_gone_an_event_may_choose_its_currency_again(sales: Sales) -> None:
    event_id = sales.event_of_events()
    wrong = create(sales.organizer, event_id, currency="EUR").body["id"]
    assert delete(sales.organizer, wrong).status == 204
    assert create(sales.organizer, event_id, currency="USD").status == 201


@pytest.mark.parametrize(
    ("price", "currency"),
    [("0.01", "USD"), ("0.49", "EUR"), ("0.29", "GBP"), ("14.99", "CZK"), ("0.49", None)],
)
def test_a_price_that_the_payment_provider_would_refuse_is_refused_at_once(
    sales: Sales, price: str, currency: str | None
) -> None:
    reply = create(sales.organizer, sales.event_of_events(), price=price, currency=currency)

    assert (reply.status, reply.fields) == (400, {"price"})
    assert (currency or "USD") in reply.body["error"]["details"][0]["message"]


@pytest.mark.parametrize(
    ("price", "currency"), [("0.50", "USD"), ("0.30", "GBP"), ("15", "CZK"), ("0", "CZK")]
)
def test_the_least_that_can_be_charged_is_a_price(sales: Sales, price: str, currency: str) -> None:
    assert create(sales.organizer, sales.event_of_events(), price=price, currency=currency).status == 201


def test_a_type_does_not_become_too_cheap_to_be_paid(sales: Sales) -> None:
    id = create(sales.organizer, sales.event_of_events()).body["id"]

    assert update(sales.organizer, id, price="0.49").fields == {"price"}


def test_the_provider_charges_the_least_price_of_every_currency() -> None:
    for_all, *others = MINIMUM_PRICES.default.split(",")
    ours = {code.lower(): Decimal(amount) for code, amount in (other.split(":") for other in others)}

    for currency in map(str.lower, CURRENCIES):
        check_charge(int(ours.get(currency, Decimal(for_all)) * 100), currency)  # raises what it refuses


def test_a_price_may_be_nothing(sales: Sales) -> None:
    assert create(sales.organizer, sales.event_of_events(), price="0").body["price"] == "0.00"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": "-1"}, "price"),
        ({"price": "1.005"}, "price"),
        ({"price": "1000000"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "much"}, "price"),
        ({"price": "1e2"}, "price"),
        ({"price": "1_000"}, "price"),
        ({"price": "５0"}, "price"),
        ({"price": 10**400}, "price"),
        ({"currency": "JPY"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"quantityAvailable": 0}, "quantityAvailable"),
        ({"quantityAvailable": -1}, "quantityAvailable"),
        ({"quantityAvailable": 10_000_001}, "quantityAvailable"),
        ({"quantityAvailable": "10"}, "quantityAvailable"),
        ({"perPersonLimit": 0}, "perPersonLimit"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "Stalls\r\nBcc: x"}, "name"),
        ({"venueZone": "x" * 101}, "venueZone"),
        ({"saleStartDate": "2027-05-01T10:00:00"}, "saleStartDate"),
        ({"saleStartDate": "0001-01-01T00:00:00+14:00"}, "saleStartDate"),
        ({"saleStartDate": "2027-05-02T10:00:00Z", "saleEndDate": "2027-05-02T10:00:00Z"}, "saleEndDate"),
        (
            {"saleStartDate": "2027-05-02T10:00:00Z", "saleEndDate": "2027-05-02T11:00:00+02:00"},
            "saleEndDate",
        ),
        ({"quantitySold": 5}, "quantitySold"),
    ],
)
def test_what_is_wrong_with_a_type_is_named(sales: Sales, changes: dict[str, object], field: str) -> None:
    reply = create(sales.organizer, uuid4(), **changes)
    assert (reply.status, reply.code, reply.fields) == (400, "VALIDATION_ERROR", {field})


def test_only_an_organizer_makes_types_and_only_of_own_events(sales: Sales) -> None:
    event_id = sales.event_of_events(ownersToken="someone-else's")
    assert create(a_user(), event_id).status == 403
    assert create(a_user(Role.ORGANIZER), event_id).status == 404
    assert sales.db.all("SELECT * FROM ticket_types") == []


def test_a_cancelled_event_gets_no_more_types(sales: Sales) -> None:
    reply = create(sales.organizer, sales.event_of_events(status="CANCELLED"))
    assert (reply.status, reply.code) == (409, "EVENT_ENDED")


def test_types_are_listed_a_page_at_a_time(sales: Sales) -> None:
    event_id = sales.event()
    made = [str(sales.type(event_id)) for _ in range(3)]
    first = listed(sales.organizer, event_id, limit=2).body
    second = listed(sales.organizer, event_id, limit=2, cursor=first["nextCursor"]).body
    assert [item["id"] for item in first["items"] + second["items"]] == made
    assert second["nextCursor"] is None


def test_types_of_someone_elses_event_are_not_listed_but_an_admin_sees_them(sales: Sales) -> None:
    event_id = sales.event()
    sales.type(event_id)
    assert listed(a_user(Role.ORGANIZER), event_id).status == 404
    assert listed(a_user(), event_id).status == 403
    assert len(listed(a_user(Role.ADMIN), event_id).body["items"]) == 1


def test_an_own_event_without_types_has_an_empty_list_and_an_unknown_one_none(sales: Sales) -> None:
    event_id = sales.event_of_events(status="DRAFT")
    assert listed(sales.organizer, event_id).body["items"] == []
    assert listed(sales.organizer, uuid4()).status == 404


def test_new_terms_replace_the_old_ones(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=5, limit=3)
    reply = update(
        sales.organizer, id, name="Parterre", price="60", quantityAvailable=7, eventId=str(event_id)
    )
    assert reply.status == 200
    assert (reply.body["name"], reply.body["price"], reply.body["quantityAvailable"]) == (
        "Parterre",
        "60.00",
        7,
    )
    assert (reply.body["perPersonLimit"], reply.body["venueZone"]) == (10, None)


def test_the_quantity_never_goes_below_what_is_sold_or_held(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, quantity=10)
    sales.issued(buyer, event_id, {id: 2})
    sales.held(buyer, event_id, {id: 3})

    reply = update(sales.organizer, id, quantityAvailable=4)

    assert (reply.status, reply.code, reply.fields) == (409, "TICKETS_TAKEN", {"quantityAvailable"})
    assert update(sales.organizer, id, quantityAvailable=5).status == 200


def test_holds_that_ran_out_do_not_stand_in_the_way_of_a_smaller_quantity(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id, quantity=10)
    sales.run_out(sales.held(a_user(), event_id, {id: 3}))
    assert update(sales.organizer, id, quantityAvailable=0).status == 200


def test_a_lower_limit_binds_from_now_on(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id, limit=4)
    sales.held(buyer, event_id, {id: 3})
    assert update(sales.organizer, id, perPersonLimit=2).status == 200
    assert sales.reserve(buyer, event_id, {id: 1}).code == "PER_PERSON_LIMIT"
    assert sales.taken(id, buyer) == 3


def test_a_type_keeps_its_event_and_its_currency(sales: Sales) -> None:
    id = sales.type(sales.event())
    assert update(sales.organizer, id, eventId=str(uuid4())).fields == {"eventId"}
    assert update(sales.organizer, id, currency="USD").code == "ONE_CURRENCY_PER_EVENT"


def test_someone_elses_type_is_not_found(sales: Sales) -> None:
    id = sales.type(sales.event())
    stranger = a_user(Role.ORGANIZER)
    assert (update(stranger, id).status, delete(stranger, id).status) == (404, 404)
    assert (update(a_user(), id).status, delete(a_user(), id).status) == (403, 403)
    assert update(sales.organizer, uuid4()).status == 404
    assert update(a_user(Role.ADMIN), id).status == 200


def test_a_type_of_which_something_is_held_is_not_deleted(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    sales.held(a_user(), event_id, {id: 1})
    reply = delete(sales.organizer, id)
    assert (reply.status, reply.code) == (409, "TICKETS_TAKEN")
    assert len(listed(sales.organizer, event_id).body["items"]) == 1


def test_a_type_whose_tickets_are_all_void_goes_off_sale_and_its_tickets_stay(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    tickets = sales.issued(buyer, event_id, {id: 1})
    sales.release(str(tickets[0]["order_id"]))

    assert delete(sales.organizer, id).status == 204

    assert listed(sales.organizer, event_id).body["items"] == []
    assert sales.reserve(buyer, event_id, {id: 1}).status == 404
    assert len(sales.tickets(str(tickets[0]["order_id"]))) == 1
    assert delete(sales.organizer, id).status == 404


def test_while_the_events_service_is_down_what_is_known_of_an_event_holds(sales: Sales) -> None:
    known = sales.event(status="DRAFT")
    sales.events.is_down = True

    assert create(sales.organizer, known).status == 201
    assert create(a_user(Role.ORGANIZER), known).status == 404
    assert create(sales.organizer, uuid4()).status == 503
