"""Who may do what, and what everybody is told who may not."""

from uuid import uuid4

import pytest

from tests.e2e.box_office import Show, event_details, order_of, publish, settled, ticket_type
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def show(laptop: Laptop) -> Show:
    return publish(laptop.client.newcomer("ORGANIZER", "Owner"))


@pytest.fixture(scope="module")
def other_organizer(laptop: Laptop) -> Client:
    return laptop.client.newcomer("ORGANIZER", "Rival")


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Bea")


@pytest.fixture(scope="module")
def other_buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Eve")


def test_without_a_token_it_is_401_in_the_contracts_shape(visitor: Client) -> None:
    for method, path in [
        ("POST", "/api/tickets/reserve"),
        ("GET", "/api/auth/profile"),
        ("POST", "/api/events"),
        ("GET", f"/api/payments/orders/{uuid4()}"),
    ]:
        answer = visitor.send(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), path
        assert answer.body["error"]["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."])
def test_a_token_that_is_none_is_401(visitor: Client, token: str) -> None:
    assert Client(visitor.url, token).get("/api/auth/profile").code == "UNAUTHORIZED"


def test_an_attendee_may_not_organize(buyer: Client, show: Show) -> None:
    assert buyer.post("/api/events", event_details()).code == "FORBIDDEN"
    assert buyer.post("/api/tickets/types", ticket_type(show.event_id)).code == "FORBIDDEN"
    assert buyer.post("/api/tickets/check-in", {"qrCode": "x"}).code == "FORBIDDEN"
    assert buyer.post("/api/events/categories", {"name": "x"}).code == "FORBIDDEN"


def test_an_organizer_may_not_touch_anothers_event(other_organizer: Client, show: Show) -> None:
    assert other_organizer.put(f"/api/events/{show.event_id}", event_details()).code == "NOT_FOUND"
    assert other_organizer.post(f"/api/events/{show.event_id}/cancel", {"reason": "spite"}).status in (
        403,
        404,
    )
    assert other_organizer.post("/api/tickets/types", ticket_type(show.event_id)).code == "NOT_FOUND"
    assert other_organizer.get(f"/api/events/mine/{show.event_id}").status == 404
    assert other_organizer.get("/api/tickets/types", eventId=show.event_id).status == 404


def test_what_belongs_to_somebody_else_is_not_found(
    buyer: Client, other_buyer: Client, other_organizer: Client, show: Show
) -> None:
    order_id = order_of(buyer, show)
    paid = settled(buyer, order_id, "PAID")
    ticket_id = paid["tickets"][0]["id"]

    for stranger in (other_buyer, other_organizer):
        assert stranger.get(f"/api/payments/orders/{order_id}").code == "NOT_FOUND"
        assert stranger.get(f"/api/tickets/{ticket_id}").code == "NOT_FOUND"
        assert stranger.get(f"/api/tickets/{ticket_id}/qr.png").code == "NOT_FOUND"
        assert stranger.get(f"/api/tickets/orders/{buyer.user_id}").code == "NOT_FOUND"
    assert show.organizer.get(f"/api/tickets/{ticket_id}").status == 200
    assert show.organizer.get(f"/api/payments/orders/{order_id}").status == 200
    refund = {"orderId": order_id, "reason": "mine"}
    assert buyer.post("/api/payments/refund", refund, key="r").code == "FORBIDDEN"
    assert other_organizer.post("/api/payments/refund", refund, key="r").code == "NOT_FOUND"


def test_the_demos_admin_passes_where_an_organizer_does(laptop: Laptop, show: Show) -> None:
    admin = laptop.client.signed_in("admin@example.com")

    assert admin.get("/api/tickets/types", eventId=show.event_id).status == 200
    assert admin.post("/api/events/categories", {"name": f"Circus {uuid4().hex[:6]}"}).status == 201
