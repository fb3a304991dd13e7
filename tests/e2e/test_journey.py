"""The journey: from registration through the purchase to the door, as a front end drives it."""

import re

import pytest

from tests.e2e.box_office import (
    Show,
    available,
    event_details,
    order,
    order_of,
    publish,
    purchase,
    reserve,
    settled,
    ticket_type,
)
from tests.e2e.client import PASSWORD, Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def organizer(laptop: Laptop) -> Client:
    return laptop.client.newcomer("ORGANIZER", "Olga")


@pytest.fixture(scope="module")
def show(organizer: Client) -> Show:
    return publish(organizer)


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer()


def test_a_person_registers_verifies_signs_in_and_out(visitor: Client) -> None:
    email = "grace-journey@example.com"
    person = {
        "email": email,
        "password": PASSWORD,
        "firstName": "Grace",
        "lastName": "Hopper",
        "dateOfBirth": "1906-12-09",
    }
    registered = visitor.post("/api/auth/register", person).expect(201)
    assert registered["email"] == email
    assert registered["emailVerified"] is False
    assert visitor.post("/api/auth/register", person).code == "EMAIL_TAKEN"
    credentials = {"email": email, "password": PASSWORD}
    assert visitor.post("/api/auth/login", credentials).code == "EMAIL_NOT_VERIFIED"

    token = visitor.token_mailed_to(email)
    assert visitor.post("/api/auth/verify-email", {"token": token}).expect(200)["emailVerified"] is True
    assert visitor.post("/api/auth/verify-email", {"token": token}).code == "INVALID_TOKEN"

    assert (
        visitor.post("/api/auth/login", credentials | {"password": "Wrong-Horse-7"}).code
        == "INVALID_CREDENTIALS"
    )
    signed_in = visitor.post("/api/auth/login", credentials).expect(200)
    assert signed_in["tokenType"] == "Bearer"
    grace = Client(visitor.url, signed_in["accessToken"])
    profile = grace.get("/api/auth/profile").expect(200)
    assert (profile["firstName"], profile["role"], profile["dateOfBirth"]) == (
        "Grace",
        "ATTENDEE",
        "1906-12-09",
    )
    assert (
        grace.send("PATCH", "/api/auth/profile", {"lastName": "Murray"}).expect(200)["lastName"] == "Murray"
    )

    refreshed = visitor.post("/api/auth/refresh", {"refreshToken": signed_in["refreshToken"]}).expect(200)
    again = Client(visitor.url, refreshed["accessToken"])
    again.get("/api/auth/profile").expect(200)
    again.post("/api/auth/logout").expect(204)
    assert again.get("/api/auth/profile").code == "UNAUTHORIZED"
    assert grace.get("/api/auth/profile").code == "UNAUTHORIZED", "the whole session is over"


def test_a_refresh_token_used_twice_ends_the_session(laptop: Laptop, buyer: Client) -> None:
    credentials = {"email": buyer.email, "password": PASSWORD}
    first = laptop.client.post("/api/auth/login", credentials).expect(200)
    second = laptop.client.post("/api/auth/refresh", {"refreshToken": first["refreshToken"]}).expect(200)

    assert laptop.client.post("/api/auth/refresh", {"refreshToken": first["refreshToken"]}).status == 401
    assert Client(laptop.url, second["accessToken"]).get("/api/auth/profile").status == 401


def test_a_forgotten_password_is_reset_through_the_mail(laptop: Laptop) -> None:
    person = laptop.client.newcomer(first_name="Fred")
    before = len(laptop.client.mails_to(str(person.email)))
    laptop.client.post("/api/auth/forgot-password", {"email": person.email}).expect(202)
    laptop.client.post("/api/auth/forgot-password", {"email": "nobody@example.com"}).expect(202)
    eventually(lambda: len(laptop.client.mails_to(str(person.email))) > before)

    token = laptop.client.token_mailed_to(str(person.email))
    new = {"token": token, "newPassword": "Another-Horse-8"}
    laptop.client.post("/api/auth/reset-password", new).expect(204)

    assert person.get("/api/auth/profile").status == 401
    assert laptop.client.post("/api/auth/reset-password", new).code == "INVALID_TOKEN"
    laptop.client.signed_in(str(person.email), "Another-Horse-8")


def test_an_organizer_makes_an_event_and_publishes_it(organizer: Client, visitor: Client) -> None:
    event = organizer.post("/api/events", event_details(name="Winterreise")).expect(201)
    assert event["status"] == "DRAFT"
    assert visitor.get(f"/api/events/{event['id']}").status == 404
    assert visitor.get(f"/api/tickets/availability/{event['id']}").status == 404
    assert organizer.post(f"/api/events/{event['id']}/publish").status == 409, "it has no tickets"
    organizer.post("/api/tickets/types", ticket_type(event["id"], venueZone="A")).expect(201)
    changed = organizer.put(f"/api/events/{event['id']}", event_details(name="Winterreise, again"))
    assert changed.expect(200)["version"] > event["version"]

    assert organizer.post(f"/api/events/{event['id']}/publish").expect(200)["status"] == "PUBLISHED"

    shown = visitor.get(f"/api/events/{event['id']}").expect(200)
    assert (shown["name"], shown["timeZone"]) == ("Winterreise, again", "Europe/Vienna")
    assert shown["imageUrl"]
    (kind,) = visitor.get(f"/api/tickets/availability/{event['id']}").expect(200)["ticketTypes"]
    assert (kind["price"], kind["currency"], kind["available"], kind["status"]) == (
        "49.50",
        "EUR",
        100,
        "ON_SALE",
    )
    found = visitor.get("/api/events/search", q="wintereise").expect(200)
    assert event["id"] in [item["id"] for item in found["items"]], "typing errors are forgiven"
    listed = organizer.get("/api/events/mine").expect(200)["items"]
    assert event["id"] in [item["id"] for item in listed]


def test_a_ticket_is_bought_mailed_shown_and_checked_in(show: Show, buyer: Client, organizer: Client) -> None:
    before = available(show)
    held = reserve(buyer, show, 2).expect(201)
    assert held["totalAmount"] == "99.00"
    assert available(show) == before - 2
    accepted = purchase(buyer, held["reservationId"]).expect(202)

    paid = settled(buyer, accepted["orderId"])

    assert paid["paymentStatus"] == "PAID", paid
    assert paid["orderNumber"] == accepted["orderNumber"]
    assert len(paid["tickets"]) == 2
    assert paid["clientSecret"] is None
    mail = eventually(
        lambda: [m for m in buyer.mails_to(str(buyer.email)) if paid["orderNumber"] in m["text"]]
    )[0]
    assert "<html" in mail["html"].lower()
    (listed,) = [
        o
        for o in buyer.get(f"/api/tickets/orders/{buyer.user_id}").expect(200)["items"]
        if o["orderId"] == paid["orderId"]
    ]
    ticket_id = listed["tickets"][0]["id"]
    ticket = buyer.get(f"/api/tickets/{ticket_id}").expect(200)
    assert ticket["status"] == "ACTIVE"
    picture = buyer.get(f"/api/tickets/{ticket_id}/qr.png")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n")
    eventually(lambda: order(buyer, paid["orderId"])["mailStatus"] == "SENT")

    entered = organizer.post("/api/tickets/check-in", {"qrCode": ticket["qrCode"]}).expect(200)
    assert entered["ticketId"] == ticket_id
    assert organizer.post("/api/tickets/check-in", {"qrCode": ticket["qrCode"]}).code == "ALREADY_USED"
    assert buyer.get(f"/api/tickets/{ticket_id}").expect(200)["status"] == "USED"
    forged = (
        re.sub(r".$", lambda last: "A" if last[0] != "A" else "B", ticket["qrCode"][:-2])
        + ticket["qrCode"][-2:]
    )
    assert organizer.post("/api/tickets/check-in", {"qrCode": forged}).code == "FORGED"


def test_a_reservation_given_back_is_on_sale_at_once(show: Show, buyer: Client) -> None:
    before = available(show)
    held = reserve(buyer, show, 3).expect(201)

    buyer.delete(f"/api/tickets/reservations/{held['reservationId']}").expect(204)

    assert available(show) == before
    assert purchase(buyer, held["reservationId"]).code == "RESERVATION_EXPIRED"


def test_an_order_can_be_asked_for_the_moment_it_is_accepted(show: Show, buyer: Client) -> None:
    order_id = order_of(buyer, show)

    assert order(buyer, order_id)["paymentStatus"] in ("PENDING", "PAID")
    settled(buyer, order_id, "PAID")


def test_the_same_key_is_the_same_purchase(show: Show, buyer: Client) -> None:
    held = reserve(buyer, show).expect(201)
    first = purchase(buyer, held["reservationId"], key="the-key")
    second = purchase(buyer, held["reservationId"], key="the-key")

    assert first.expect(202) == second.expect(202)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (
        purchase(buyer, held["reservationId"], "pm_card_mastercard", key="the-key").code
        == "IDEMPOTENCY_CONFLICT"
    )
    settled(buyer, first.body["orderId"], "PAID")


def test_an_organizer_refunds_a_ticket(show: Show, buyer: Client, organizer: Client) -> None:
    order_id = order_of(buyer, show, quantity=2)
    paid = settled(buyer, order_id, "PAID")
    ticket_id = paid["tickets"][0]["id"]
    request = {"orderId": order_id, "ticketIds": [ticket_id], "reason": "asked kindly"}

    organizer.post("/api/payments/refund", request, key="refund-1").expect(202)

    settled(buyer, order_id, "PARTIALLY_REFUNDED")
    eventually(lambda: buyer.get(f"/api/tickets/{ticket_id}").expect(200)["status"] == "VOID")
    assert organizer.post("/api/payments/refund", request | {"amount": "1000.00"}, key="refund-2").status in (
        400,
        409,
    )


def test_health_and_methods_are_public(visitor: Client) -> None:
    assert visitor.get("/api/health").expect(200)["status"] == "ok"
    for service in ("auth", "events", "tickets", "payments", "notifications"):
        assert visitor.get(f"/api/health/{service}").expect(200)["status"] == "ok"
    methods = visitor.get("/api/payments/methods").expect(200)["items"]
    assert "stripe" in [method["type"] for method in methods]
    assert visitor.get("/.well-known/jwks.json").expect(200)["keys"]
    assert visitor.get("/.well-known/ticket-keys.json").expect(200)["keys"]
