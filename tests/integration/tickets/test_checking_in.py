"""Check-in: a code of ours, a ticket of the organizer's own event, once."""

from datetime import datetime
from uuid import uuid4

import pytest

from functions.tickets import qr_codes
from functions.tickets.routes import check_in, ticket_keys
from functions.tickets.signing_keys import keys
from shared.clock import iso
from shared.identity import Role, User
from tests.cloud import Cloud
from tests.support import Reply, a_user, call
from tests.ticket_sales import Sales, give_keys, new_key


def scan(user: User, code: str) -> Reply:
    return call(check_in.handler, "POST", "/api/tickets/check-in", user=user, body={"qrCode": code})


def test_a_ticket_lets_its_holder_in(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1}, holderNames=["Ada"])[0]

    reply = scan(sales.organizer, row["qr_code"])

    used = sales.tickets(str(row["order_id"]))[0]
    assert (reply.status, used["status"]) == (200, "USED")
    assert reply.body == {
        "ticketId": str(row["id"]),
        "ticketNumber": row["ticket_number"],
        "eventId": str(event_id),
        "holderName": "Ada",
        "ticketType": "Stalls",
        "venueZone": "A",
        "checkedInAt": iso(used["checked_in_at"]),
    }
    assert sales.ticket_history(row["id"]) == [(1, "issued"), (2, "checked_in")]
    message = aws.messages("tickets")[-1]
    assert (message["type"], message["subject"]) == ("tickets.ticket_checked_in.v1", str(row["id"]))
    assert message["data"]["checkedInAt"] == reply.body["checkedInAt"]


def test_a_used_ticket_is_refused_with_the_time_of_its_use(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    first = scan(sales.organizer, row["qr_code"]).body["checkedInAt"]

    again = scan(sales.organizer, row["qr_code"])

    assert (again.status, again.code) == (409, "ALREADY_USED")
    assert again.body["error"]["details"] == [{"field": "checkedInAt", "message": first}]
    assert first in again.body["error"]["message"]
    assert datetime.fromisoformat(first).tzinfo is not None
    assert len(sales.ticket_history(row["id"])) == 2


def test_a_void_ticket_is_refused(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    sales.release(str(row["order_id"]))
    reply = scan(sales.organizer, row["qr_code"])
    assert (reply.status, reply.code) == (409, "VOID")


def test_a_ticket_of_another_organizers_event_is_not_found_and_stays_unused(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    assert scan(a_user(Role.ORGANIZER), row["qr_code"]).status == 404
    assert sales.tickets(str(row["order_id"]))[0]["status"] == "ACTIVE"
    assert scan(a_user(Role.ADMIN), row["qr_code"]).status == 200


def test_an_attendee_checks_nobody_in(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    assert scan(buyer, row["qr_code"]).status == 403


def test_a_signed_code_of_a_ticket_that_is_not_there_is_not_found(sales: Sales) -> None:
    assert scan(sales.organizer, qr_codes.signer().code(uuid4(), uuid4())).status == 404


def test_a_signed_code_that_names_another_event_is_not_found(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    assert scan(sales.organizer, qr_codes.signer().code(row["id"], sales.event())).status == 404
    assert sales.tickets(str(row["order_id"]))[0]["status"] == "ACTIVE"


@pytest.mark.parametrize("code", ["x", "BO1.k1.x.y", "....", "BO1.k1.ä.y", "é" * 1000])
def test_what_is_no_code_of_ours_is_forged(sales: Sales, code: str) -> None:
    reply = scan(sales.organizer, code)
    assert (reply.status, reply.code, reply.fields) == (400, "FORGED", {"qrCode"})


def test_a_code_signed_with_another_key_of_the_same_name_is_forged(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    ours = sales.extension.parameters["ticket_keys"]
    give_keys(sales.extension, new_key("k1"), environment=monkeypatch)
    forged = qr_codes.signer().code(row["id"], event_id)
    sales.extension.parameters["ticket_keys"] = ours
    keys.forget()

    assert scan(sales.organizer, forged).code == "FORGED"
    assert scan(sales.organizer, row["qr_code"]).status == 200


def test_codes_of_a_past_key_still_open_the_door(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    old = new_key("old")
    give_keys(sales.extension, old, environment=monkeypatch)
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    give_keys(sales.extension, old, new_key("new"), environment=monkeypatch)
    assert scan(sales.organizer, row["qr_code"]).status == 200


@pytest.mark.parametrize("body", [{}, {"qrCode": ""}, {"qrCode": 7}, {"qrCode": "x" * 1001}])
def test_a_missing_code_is_named(sales: Sales, body: dict[str, object]) -> None:
    reply = call(check_in.handler, "POST", "/api/tickets/check-in", user=sales.organizer, body=body)
    assert (reply.status, reply.code, reply.fields) == (400, "VALIDATION_ERROR", {"qrCode"})


def test_the_public_keys_are_published_and_nothing_private(sales: Sales) -> None:
    reply = call(ticket_keys.handler, "GET", "/.well-known/ticket-keys.json")
    assert reply.status == 200
    assert [set(key) for key in reply.body["keys"]] == [{"kid", "kty", "crv", "alg", "use", "x"}]
    assert reply.body["keys"][0]["kid"] == "k1"
