"""Bad input over HTTP: a clear 4xx that names the field, in the contract's shape, whoever answers."""

import pytest

from tests.e2e.box_office import Show, event_details, publish, ticket_type
from tests.e2e.client import Answer, Client
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def show(laptop: Laptop) -> Show:
    return publish(laptop.client.newcomer("ORGANIZER", "Errol"))


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Bob")


def fields(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.content
    return sorted(detail["field"] for detail in answer.body["error"]["details"])


def test_every_wrong_field_of_a_registration_is_named(visitor: Client) -> None:
    answer = visitor.post(
        "/api/auth/register", {"email": "no", "password": "x", "dateOfBirth": "soon", "spare": 1}
    )

    assert fields(answer) == ["dateOfBirth", "email", "firstName", "lastName", "password", "spare"]


def test_every_wrong_field_of_an_event_is_named(show: Show) -> None:
    wrong = event_details(timeZone="Mars/Olympus", eventDate="2020-01-01T00:00:00Z", category="no such")

    assert fields(show.organizer.post("/api/events", wrong)) == ["category", "eventDate", "timeZone"]
    assert fields(show.organizer.post("/api/events", event_details(category="no such"))) == ["category"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": "-1.00"}, "price"),
        ({"price": "1.999"}, "price"),
        ({"currency": "EURO"}, "currency"),
        ({"quantityAvailable": -1}, "quantityAvailable"),
        ({"perPersonLimit": 0}, "perPersonLimit"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_ticket_type_is_refused_by_field(show: Show, change: dict[str, object], field: str) -> None:
    assert fields(show.organizer.post("/api/tickets/types", ticket_type(show.event_id, **change))) == [field]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 50_000])
def test_what_is_not_a_json_object_is_a_400(buyer: Client, body: bytes) -> None:
    answer = buyer.send("POST", "/api/tickets/reserve", body)

    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "two", None, 10**12])
def test_a_quantity_that_is_none_is_refused(show: Show, buyer: Client, quantity: object) -> None:
    items = [{"ticketTypeId": show.type_id, "quantity": quantity}]

    answer = buyer.post("/api/tickets/reserve", {"eventId": show.event_id, "items": items})

    assert fields(answer) == ["items[0].quantity"]


def test_a_purchase_without_an_idempotency_key_is_refused(buyer: Client) -> None:
    body = {"reservationId": "6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111", "paymentMethod": {"type": "stripe"}}

    assert "Idempotency-Key" in fields(buyer.post("/api/tickets/purchase", body))


def test_a_card_number_is_refused_wherever_it_appears(buyer: Client) -> None:
    number = "4242 4242 4242 4242"
    method = {"type": "stripe", "token": number}
    body = {"reservationId": "6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111", "paymentMethod": method}

    answer = buyer.post("/api/tickets/purchase", body, key="card")

    assert answer.status == 400
    assert number not in answer.content.decode()


def test_an_unknown_route_has_the_contracts_shape(visitor: Client) -> None:
    answer = visitor.get("/api/nowhere")

    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert answer.headers["X-Request-Id"] == answer.body["error"]["requestId"]
    assert answer.headers["API-Version"] == "1"


def test_an_unknown_version_is_refused(visitor: Client) -> None:
    assert visitor.send("GET", "/api/events", headers={"API-Version": "99"}).code == "UNSUPPORTED_VERSION"


def test_a_browser_of_the_configured_origin_may_call(visitor: Client) -> None:
    origin = "http://localhost:5173"
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    preflight = visitor.send("OPTIONS", "/api/tickets/reserve", headers=asked)
    answer = visitor.send("GET", "/api/events", headers={"Origin": origin})

    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Origin"] in (origin, "*")
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]


def test_lists_are_paged(visitor: Client) -> None:
    first = visitor.get("/api/events", limit=1).expect(200)
    second = visitor.get("/api/events", limit=1, cursor=first["nextCursor"]).expect(200)

    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert fields(visitor.get("/api/events", limit=0, cursor="x")) == ["cursor", "limit"]
    assert fields(visitor.get("/api/events", cursor="!!")) == ["cursor"]
