"""The list of an event's orders names the buyers, finds them, and forgets them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.payments.consumers import buyers, events
from functions.payments.routes import list_event_orders
from shared.clock import iso, now
from shared.identity import Role, User
from tests.payments_shop import Shop
from tests.support import Reply, a_user, call

ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"}


def listed(shop: Shop, user: User, **query: object) -> Reply:
    path = "/api/payments/orders"
    query = {"eventId": shop.event_id, **query}
    return call(list_event_orders.handler, "GET", path, user=user, query=query)


def found(shop: Shop, q: str) -> list[str]:
    reply = listed(shop, shop.organizer, q=q)
    assert reply.status == 200, reply
    return [item["orderId"] for item in reply.body["items"]]


def changed(shop: Shop, user_id: UUID, version: int = 1, **person: str) -> None:
    """Hear of a user from auth."""
    data = {"userId": str(user_id), "role": "ATTENDEE", **ADA, **person}
    hear(shop, buyers, "auth.user_changed.v1", user_id, version, data)


def erased(shop: Shop, user_id: UUID) -> None:
    """Hear that a user is to be forgotten."""
    data = {"userId": str(user_id), "email": ADA["email"], "firstName": ADA["firstName"]}
    hear(shop, buyers, "auth.user_erased.v1", user_id, 9, data)


def hear(shop: Shop, consumer: Any, type_: str, subject: UUID, version: int, data: dict[str, Any]) -> None:
    envelope = {
        "id": str(uuid4()),
        "type": type_,
        "subject": str(subject),
        "sequence": version,
        "time": iso(now()),
        "data": data,
    }
    shop.hand_over(consumer.handler, consumer.consumer._queue, envelope)


@pytest.fixture
def ada(shop: Shop) -> User:
    """A buyer of whom auth has told."""
    buyer = a_user()
    changed(shop, buyer.id)
    return buyer


def test_an_order_names_its_buyer_as_far_as_auth_has_told(shop: Shop, ada: User) -> None:
    shop.order_of(ada)
    shop.order_of(a_user())

    for user in (shop.organizer, a_user(Role.ADMIN)):
        unknown, known = listed(shop, user).body["items"]
        assert known["buyer"] == ADA
        assert unknown["buyer"] is None


# No letters that an id may begin with: orders are found by theirs, too.
@pytest.mark.parametrize("q", ["ada lo", "LOVEL", "a love", "ada@example", "Lovelace ada@example.com"])
def test_orders_are_found_by_a_part_of_their_buyers_name_or_address(shop: Shop, ada: User, q: str) -> None:
    order_id = shop.order_of(ada)
    changed(shop, (other := a_user()).id, firstName="Grace", lastName="Hopper", email="grace@example.org")
    shop.order_of(other)

    assert found(shop, q) == [order_id]


@pytest.mark.parametrize("q", ["%", "_", "a%e", "\\", "ad_", "\\%", "'", '" OR 1=1 --', "%%%%", "[a-z]"])
def test_what_is_sought_means_itself(shop: Shop, ada: User, q: str) -> None:
    shop.order_of(ada)
    changed(shop, (odd := a_user()).id, lastName=f"x{q}x", email="odd@example.com")
    order_id = shop.order_of(odd)

    assert found(shop, q) == [order_id]


def test_only_orders_of_the_event_are_found(shop: Shop, ada: User) -> None:
    shop.order_of(ada)
    shop.event_id = uuid4()
    order_id = shop.order_of(ada)

    assert found(shop, "love") == [order_id]


def test_what_is_found_comes_page_by_page(shop: Shop, ada: User) -> None:
    ids = [shop.order_of(ada) for _ in range(3)]
    shop.order_of(a_user())

    first = listed(shop, shop.organizer, q="love", limit=2).body
    second = listed(shop, shop.organizer, q="love", limit=2, cursor=first["nextCursor"]).body

    assert [item["orderId"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["nextCursor"] is None


def test_the_newest_name_counts_whichever_comes_last(shop: Shop, ada: User) -> None:
    shop.order_of(ada)
    changed(shop, ada.id, 3, lastName="King")
    changed(shop, ada.id, 2, lastName="Byron")

    assert listed(shop, shop.organizer).body["items"][0]["buyer"]["lastName"] == "King"


def test_the_erased_are_not_named_found_or_brought_back(shop: Shop, ada: User) -> None:
    order_id = shop.order_of(ada)
    erased(shop, ada.id)
    changed(shop, ada.id, 99)

    [item] = listed(shop, shop.organizer).body["items"]
    assert (item["orderId"], item["buyer"]) == (order_id, None)
    assert found(shop, "love") == []
    row = shop.db.one("SELECT * FROM buyers")
    assert row is not None
    assert [row[name] for name in ("email", "first_name", "last_name", "search_text")] == [None] * 4


def test_who_is_erased_before_we_heard_of_them_stays_unknown(shop: Shop) -> None:
    buyer = a_user()
    erased(shop, buyer.id)
    changed(shop, buyer.id)
    shop.order_of(buyer)

    assert listed(shop, shop.organizer).body["items"][0]["buyer"] is None


def test_before_the_first_order_events_has_told_whose_event_it_is(shop: Shop) -> None:
    told = {
        "eventId": str(shop.event_id),
        "organizerId": str(shop.organizer.id),
        "name": "Gala",
        "eventDate": iso(now()),
        "timeZone": "Europe/Vienna",
        "venueName": "Opera",
        "venueAddress": "Wien",
        "status": "PUBLISHED",
        "version": 2,
    }
    hear(shop, events, "events.event_published.v1", shop.event_id, 2, told)
    older = told | {"version": 1, "organizerId": str(uuid4())}
    hear(shop, events, "events.event_updated.v1", shop.event_id, 1, older)

    assert listed(shop, shop.organizer).body == {"items": [], "nextCursor": None}
    assert listed(shop, a_user(Role.ADMIN)).status == 200
    assert listed(shop, a_user(Role.ORGANIZER)).status == 404
    assert shop.tickets.asked == 0
