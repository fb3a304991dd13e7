"""Somebody who has done all there is to do asks what we hold, and is forgotten: nothing of them is left anywhere."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from tests import dump
from tests.e2e.books import assert_balanced
from tests.e2e.box_office import (
    available,
    event_details,
    order,
    pay_again,
    publish,
    reserve,
    settled,
    ticket_type,
)
from tests.e2e.client import Answer, Client, eventually
from tests.e2e.laptop import Laptop

FIRST, LAST, FRIEND, BORN = "Xanthippe", "Bramblewick", "Peregrine Thistlewood", "1937-04-23"
PASSWORD = "Whimsical-Otter-41"
DECLINED, CARD = "pm_card_chargeDeclinedVelocityLimitExceeded", "pm_card_gi"


class Person:
    """An organizer who also buys; what is known of them is in `traces`."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop, self.visitor = laptop, laptop.client
        self.email = f"xanthippe-{uuid4().hex[:8]}@example.org"
        self.admin = self.visitor.signed_in("admin@example.com")
        self.show = publish(self.visitor.newcomer("ORGANIZER", "Otto"), perPersonLimit=20)
        self.client = self._account()
        hashed = hashlib.sha256(self.email.encode()).hexdigest()
        self.traces = {self.email, hashed, FIRST, LAST, FRIEND, BORN, DECLINED, CARD}

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": PASSWORD}

    def live(self) -> None:
        """Plan, hold, be declined, buy, get money back and mail, forget the password, and mistype it."""
        self.client.send("PATCH", "/api/auth/profile", {"lastName": LAST}).expect(200)
        draft = self.client.post("/api/events", event_details(name=f"{FIRST}'s secret plan")).expect(201)
        self.client.post("/api/tickets/types", ticket_type(draft["id"], name=f"For {LAST}")).expect(201)
        self.order_id = self._buy()
        self._give_back()
        reserve(self.client, self.show, 3).expect(201)
        self._mail()
        self.visitor.post("/api/auth/forgot-password", {"email": self.email}).expect(202)
        wrong = {"email": self.email, "password": "Not-The-Otter-41"}
        self.visitor.post("/api/auth/login", wrong).expect(401)

    def export(self) -> dict[str, Any]:
        """Ask for everything, and fetch it by the link in the mail."""
        self.client.post("/api/auth/profile/export").expect(202)
        assert self.client.post("/api/auth/profile/export").code == "EXPORT_UNDER_WAY"
        self.link = eventually(lambda: _link(self.visitor.mails_to(self.email)), 60)
        answer = self.visitor.get(self.link)
        assert answer.status == 303
        file = urllib3.request("GET", answer.headers["Location"])
        assert file.status == 200
        exported: dict[str, Any] = json.loads(file.data)
        return exported

    def erase(self) -> Answer:
        """Ask to be forgotten."""
        return self.client.send("DELETE", "/api/auth/profile", {"password": PASSWORD})

    def _account(self) -> Client:
        names = {"firstName": FIRST, "lastName": LAST, "dateOfBirth": BORN, "accountType": "ORGANIZER"}
        self.visitor.post("/api/auth/register", self.credentials | names).expect(201)
        token = self.visitor.token_mailed_to(self.email)
        self.visitor.post("/api/auth/verify-email", {"token": token}).expect(200)
        return self.visitor.signed_in(self.email, PASSWORD)

    def _buy(self) -> str:
        held = reserve(self.client, self.show, 3).expect(201)["reservationId"]
        names = [f"{FIRST} {LAST}", FRIEND]
        method = {"type": "stripe", "token": DECLINED}
        body = {"reservationId": held, "paymentMethod": method, "holderNames": names}
        bought = self.client.post("/api/tickets/purchase", body, key=f"{LAST}-{uuid4()}").expect(202)
        settled(self.client, bought["orderId"], "PAYMENT_FAILED")
        pay_again(self.client, bought["orderId"], CARD).expect(202)
        paid = settled(self.client, bought["orderId"], "PAID")
        self.ticket_id = paid["tickets"][0]["id"]
        self.qr_code = self.client.get(f"/api/tickets/{self.ticket_id}").expect(200)["qrCode"]
        return str(bought["orderId"])

    def _give_back(self) -> None:
        last = order(self.client, self.order_id)["tickets"][-1]["id"]
        refund = {"orderId": self.order_id, "ticketIds": [last], "reason": f"{LAST} broke a leg"}
        self.show.organizer.post("/api/payments/refund", refund, key=str(uuid4())).expect(202)
        settled(self.client, self.order_id, "PARTIALLY_REFUNDED")

    def _mail(self) -> None:
        name = f"note-{uuid4().hex[:8]}"
        texts = {"subject": "Dear {{ who }}", "htmlContent": "<p>{{ who }}</p>", "textContent": "{{ who }}"}
        self.admin.post("/api/notifications/templates", {"name": name, **texts}).expect(201)
        for to in ({"userId": self.client.user_id}, {"recipientEmail": self.email}):
            wanted = {"templateName": name, "data": {"who": f"{FIRST} {LAST}"}, **to}
            self.admin.post("/api/notifications/send", wanted).expect(202)
        eventually(lambda: sum("Dear" in m["subject"] for m in self.visitor.mails_to(self.email)) == 2)


def _link(mails: list[dict[str, Any]]) -> str | None:
    texts = [mail["text"] for mail in mails if "/api/auth/exports/" in mail["text"]]
    return "/api/auth/exports/" + texts[0].split("/api/auth/exports/")[1].split()[0] if texts else None


@pytest.fixture(scope="module")
def person(laptop: Laptop) -> Person:
    found = Person(laptop)
    found.live()
    return found


@pytest.fixture(scope="module")
def exported(person: Person) -> dict[str, Any]:
    return person.export()


@pytest.fixture(scope="module")
def erased(person: Person, exported: dict[str, Any]) -> dict[str, set[str]]:
    """Where the person was found before being erased."""
    before = dump.places(dump.everything(person.laptop), person.traces)
    assert (
        person.client.send("DELETE", "/api/auth/profile", {"password": "Wrong"}).code == "INVALID_CREDENTIALS"
    )
    person.erase().expect(202)
    return before


def test_an_export_has_what_every_service_holds(person: Person, exported: dict[str, Any]) -> None:
    assert set(exported) >= {"auth", "events", "tickets", "payments", "notifications"}
    (profile,) = exported["auth"]["profile"]
    assert (profile["email"], profile["date_of_birth"]) == (person.email, BORN)
    assert "password_hash" not in profile
    assert exported["auth"]["sessions"]
    assert exported["auth"]["failedSignIns"]
    assert [event["name"] for event in exported["events"]["events"]] == [f"{FIRST}'s secret plan"]
    assert {ticket["holder_name"] for ticket in exported["tickets"]["tickets"]} >= {FRIEND, f"{FIRST} {LAST}"}
    (bought,) = exported["payments"]["orders"]
    assert (bought["id"], bought["total_amount"]) == (person.order_id, "148.50")
    assert [refund["reason"] for refund in exported["payments"]["refunds"]] == [f"{LAST} broke a leg"]
    assert len(exported["payments"]["payments"]) >= 2
    assert [copy["email"] for copy in exported["payments"]["buyer"]] == [person.email]
    templates = {mail["template"] for mail in exported["notifications"]["mails"]}
    assert templates >= {"verify-email", "order-confirmation", "order-refunded", "reset-password"}
    secrets = ("argon2", "token_hash", "_secret_")
    assert not [secret for secret in secrets if secret in json.dumps(exported)]


def test_the_search_finds_the_person_while_there_is_one(erased: dict[str, set[str]], person: Person) -> None:
    assert set(erased) == person.traces, "a search that finds nothing proves nothing"
    kept = {place.split(":")[0] for places in erased.values() for place in places}
    assert kept >= set(dump.SERVICES)
    assert any("-exports-" in place for place in erased[person.email])


def test_nothing_of_the_person_is_left(erased: dict[str, set[str]], person: Person) -> None:
    def is_at_rest() -> bool:
        kept = dump.everything(person.laptop)
        done = all(str(person.client.user_id) in kept[f"{s}: public.erased_users"] for s in dump.SERVICES)
        mailed = "Your account is closed" in [m["subject"] for m in person.visitor.mails_to(person.email)]
        return done and mailed and not dump.places(kept, person.traces)

    try:
        eventually(is_at_rest, 60)
    except AssertionError:
        assert dump.places(dump.everything(person.laptop), person.traces) == {}
        raise
    assert not [key for key in dump.export_keys(person.laptop) if person.link.rsplit("/", 1)[1] in key]


def test_what_the_law_wants_kept_is_kept(erased: dict[str, set[str]], person: Person) -> None:
    kept = dump.everything(person.laptop)

    assert person.order_id in kept["payments: public.orders"]
    assert "148.50" in next(
        row for row in kept["payments: public.orders"].splitlines() if person.order_id in row
    )
    assert person.order_id in kept["payments: public.refunds"]
    shown = person.admin.get(f"/api/payments/orders/{person.order_id}").expect(200)
    assert (shown["paymentStatus"], shown["totalAmount"]) == ("PARTIALLY_REFUNDED", "148.50")
    assert_balanced(person.laptop)


def test_the_account_is_gone_and_its_address_is_free(erased: dict[str, set[str]], person: Person) -> None:
    assert person.client.get("/api/auth/profile").status == 401
    assert person.visitor.post("/api/auth/login", person.credentials).code == "INVALID_CREDENTIALS"
    assert person.visitor.get(person.link).code == "NOT_FOUND"


def test_tickets_stay_good_and_held_seats_are_on_sale_again(
    erased: dict[str, set[str]], person: Person
) -> None:
    eventually(lambda: available(person.show) == 98)

    entered = person.show.organizer.post("/api/tickets/check-in", {"qrCode": person.qr_code}).expect(200)

    assert (entered["ticketId"], entered["holderName"]) == (person.ticket_id, None)


def test_whoever_was_erased_may_come_back_as_somebody_new(
    erased: dict[str, set[str]], person: Person
) -> None:
    names = {"firstName": "New", "lastName": "Start", "dateOfBirth": "1990-01-01"}

    again = person.visitor.post("/api/auth/register", person.credentials | names).expect(201)

    assert again["userId"] != person.client.user_id
