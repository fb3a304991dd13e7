"""Of a buyer who was erased no name and no card is left; tickets stay good, and held seats are sold to others."""

from uuid import UUID, uuid4

import pytest

from functions.tickets import stock_news
from functions.tickets.consumers import users
from functions.tickets.database import database
from shared.clock import iso, now
from shared.contracts import UserErased
from shared.identity import User
from tests.cloud import Cloud
from tests.support import a_user
from tests.ticket_sales import Sales

NAMES = {"holderNames": ["Ada Lovelace", "A Friend"]}


def erase(aws: Cloud, user: User) -> None:
    envelope = {
        "id": str(uuid4()),
        "type": UserErased.TYPE,
        "subject": str(user.id),
        "sequence": 2,
        "time": iso(now()),
        "data": {"userId": str(user.id), "email": "ada@example.com", "firstName": "Ada"},
    }
    answer = users.handler({"Records": [aws.record("tickets-users", envelope)]}, None)
    assert answer == {"batchItemFailures": []}


@pytest.fixture
def buyer() -> User:
    return a_user()


@pytest.fixture
def kind(sales: Sales) -> tuple[UUID, UUID]:
    event_id = sales.event()
    return event_id, sales.type(event_id)


def test_names_and_cards_go_and_tickets_stay_good(
    sales: Sales, aws: Cloud, buyer: User, kind: tuple[UUID, UUID]
) -> None:
    event_id, type_id = kind
    tickets = sales.issued(buyer, event_id, {type_id: 2}, **NAMES)
    assert [ticket["holder_name"] for ticket in tickets] == NAMES["holderNames"]

    erase(aws, buyer)

    order_id = str(tickets[0]["order_id"])
    row = sales.purchase_row(order_id)
    assert (row["holder_names"], row["payment_token"]) == ([], "erased")
    left = [(t["holder_name"], t["status"], t["qr_code"]) for t in sales.tickets(order_id)]
    assert left == [(None, "ACTIVE", ticket["qr_code"]) for ticket in tickets]


def test_an_order_that_is_being_paid_keeps_its_card_until_it_is_over(
    sales: Sales, aws: Cloud, buyer: User, kind: tuple[UUID, UUID]
) -> None:
    event_id, type_id = kind
    order_id = sales.order(buyer, event_id, {type_id: 2}, **NAMES)

    erase(aws, buyer)
    row = sales.purchase_row(order_id)
    assert (row["holder_names"], row["payment_token"]) == ([], "pm_card_visa")
    sales.issue(order_id)

    assert sales.purchase_row(order_id)["payment_token"] == "erased"
    assert [ticket["holder_name"] for ticket in sales.tickets(order_id)] == [None, None]


def test_a_purchase_that_was_under_way_brings_no_name_back(
    sales: Sales, aws: Cloud, buyer: User, kind: tuple[UUID, UUID]
) -> None:
    event_id, type_id = kind
    reservation = sales.held(buyer, event_id, {type_id: 1})
    sales.db.run("INSERT INTO erased_users VALUES (%(id)s, now())", id=buyer.id)

    bought = sales.purchase(buyer, reservation, holderNames=["Ada Lovelace"])

    assert bought.status == 202
    assert sales.purchase_row(bought.body["orderId"])["holder_names"] == []


def test_seats_that_are_held_are_on_sale_again(
    sales: Sales, aws: Cloud, buyer: User, kind: tuple[UUID, UUID]
) -> None:
    event_id, type_id = kind
    reservation = sales.held(buyer, event_id, {type_id: 3})
    other = sales.held(a_user(), event_id, {type_id: 2})

    erase(aws, buyer)
    erase(aws, buyer)

    assert sales.stock(type_id) == (0, 2)
    assert (sales.statuses(reservation), sales.statuses(other)) == (["RELEASED"], ["HELD"])


def test_an_organizer_s_drafts_go_and_what_is_on_sale_stays(sales: Sales, aws: Cloud) -> None:
    draft, shown = sales.event(status="DRAFT"), sales.event()
    for event_id in (draft, shown):
        sales.type(event_id)
    with database.transaction() as sql:
        assert stock_news.tell_changed(sql, now(), limit=10) == 2

    erase(aws, sales.organizer)

    assert [row["event_id"] for row in sales.db.all("SELECT event_id FROM stock_told")] == [shown]
    told = sales.db.all("SELECT subject FROM outbox WHERE type = 'tickets.stock_changed.v1'")
    assert [row["subject"] for row in told] == [shown]

    assert [row["event_id"] for row in sales.db.all("SELECT event_id FROM event_copies")] == [shown]
    assert [row["event_id"] for row in sales.db.all("SELECT event_id FROM ticket_types")] == [shown]


def test_a_name_that_somebody_writes_onto_a_ticket_later_is_not_kept(
    sales: Sales, aws: Cloud, buyer: User
) -> None:
    event_id = sales.event()
    sales.issued(buyer, event_id, {sales.type(event_id): 1})
    erase(aws, buyer)

    sales.db.run("UPDATE tickets SET holder_name = 'Ada Lovelace'")

    assert sales.db.all("SELECT holder_name FROM tickets") == [{"holder_name": None}]
