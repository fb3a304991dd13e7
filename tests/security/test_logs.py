"""Logs hold no personal data and no secrets: not those of the functions, not PostgreSQL's, not the laptop cloud's."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.box_office import Show, pay_again, publish, purchase, reserve, settled
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.security.log_secrets import found, held_secrets, texts

FIRST_NAME, LAST_NAME = "Zephyrine", "Quillfeather"
PASSWORD, WRONG_PASSWORD = "Unmistakable-Walrus-9", "Forgotten-Walrus-8"
CARD = "4000056655665556"


class Somebody:
    """A person who does all that leaves traces, the right way and the wrong way."""

    def __init__(self, laptop: Laptop, show: Show) -> None:
        self.visitor, self.show = laptop.client, show
        self.email = f"zephyrine-{uuid4().hex[:8]}@example.net"
        self.order_id = ""
        self.secrets = {self.email, FIRST_NAME, LAST_NAME, PASSWORD, WRONG_PASSWORD, CARD}

    def live(self) -> None:
        """Register (twice), sign in (wrongly, too), buy, be declined, and show the wrong papers."""
        person = {"email": self.email, "password": PASSWORD, "firstName": FIRST_NAME, "lastName": LAST_NAME}
        account = {**person, "dateOfBirth": "1990-01-01"}
        self.visitor.post("/api/auth/register", account).expect(201)
        self.visitor.post("/api/auth/register", account).expect(409)
        link = self.visitor.token_mailed_to(self.email)
        self.visitor.post("/api/auth/verify-email", {"token": link}).expect(200)
        self.visitor.post("/api/auth/login", {"email": self.email, "password": WRONG_PASSWORD}).expect(401)
        buyer = self.visitor.signed_in(self.email, PASSWORD)
        self.secrets |= {link, str(buyer.token), str(buyer.token).rsplit(".", 1)[1]}
        self._buy(buyer)
        Client(self.visitor.url, f"{buyer.token}x").get("/api/auth/profile").expect(401)
        buyer.post("/api/auth/logout").expect(204)

    def _buy(self, buyer: Client) -> None:
        held = reserve(buyer, self.show).expect(201)["reservationId"]
        body = {"reservationId": held, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}
        buyer.post("/api/tickets/purchase", {**body, "holderNames": [CARD]}, key=str(uuid4())).expect(400)
        order_id = purchase(buyer, held, "pm_card_chargeDeclined").expect(202)["orderId"]
        self.order_id = order_id
        settled(buyer, order_id, "PAYMENT_FAILED")
        pay_again(buyer, order_id, "pm_card_visa").expect(202)
        ticket_id = settled(buyer, order_id, "PAID")["tickets"][0]["id"]
        code = buyer.get(f"/api/tickets/{ticket_id}").expect(200)["qrCode"]
        self.secrets.add(code)
        self.show.organizer.post("/api/tickets/check-in", {"qrCode": code}).expect(200)
        self.show.organizer.post("/api/tickets/check-in", {"qrCode": code}).expect(409)
        self.show.organizer.post("/api/tickets/check-in", {"qrCode": f"{code}x"}).expect(400)


@pytest.fixture(scope="module")
def somebody(laptop: Laptop) -> Somebody:
    person = Somebody(laptop, publish(laptop.client.newcomer("ORGANIZER", "Orla"), perPersonLimit=4))
    person.live()
    return person


def test_nothing_of_a_person_and_no_secret_is_in_any_log(laptop: Laptop, somebody: Somebody) -> None:
    logs = laptop.state / "logs"
    known = dict.fromkeys(somebody.secrets, "of somebody") | held_secrets(laptop.state)

    assert {"postgres.log", "box-office-dev-auth-register.log"} <= {name for name, _ in texts(logs)}
    assert found(logs, known) == set()


PLANTED = {
    "a JSON Web Token": "eyJhbGciOiJFUzI1NiJ9.e30.x",
    "an Authorization header": "authorization: Bearer abcdefgh.ijkl",
    "a password's hash": "$argon2id$v=19$m=19456",
    "a QR code": "BO1.abc.def.ghi",
    "a key of Stripe's": "sk_test_51abc",
    "a client secret": "pi_123_secret_456",
    "a payment method": "token=>pm_card_visa",
    "a key of SendGrid's": "SG.abcd.efgh",
    "a private key": "-----BEGIN PRIVATE KEY-----",
    "an access key of AWS's": "AKIAIOSFODNN7EXAMPLE",
    "a presigned address": "https://bucket/x?X-Amz-Signature=00",
    "a link's token": "https://site/verify?token=abc",
    "an e-mail address": "DETAIL: Key (email)=(ada@example.com) already exists.",
    "a card's number": '{"timestamp":"2026-11-22 22:32:09,559","holder":"4242 4242 4242 4242"}',
    "of somebody": f"holder {LAST_NAME}",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_of_secret_is_found_where_it_is_planted(tmp_path: Path, kind: str) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "anything.txt").write_text(f"a line\n{PLANTED[kind]}\n")

    assert ("anything.txt", kind) in found(tmp_path, {LAST_NAME: "of somebody"})


def test_every_secret_that_is_kept_would_be_found(laptop: Laptop, tmp_path: Path) -> None:
    secrets = held_secrets(laptop.state)
    assert {"stripe", "paypal", "token-keys", "ticket-keys"} <= {
        kind.rsplit("box-office-dev-")[-1] for kind in secrets.values()
    }
    for secret, kind in secrets.items():
        (tmp_path / "x.log").write_text(f'{{"message": "{secret}"}}')
        assert ("x.log", kind) in found(tmp_path, secrets)


def test_a_log_without_secrets_is_found_clean(tmp_path: Path) -> None:
    line = {
        "timestamp": "2026-11-22 22:32:09,559+0000",
        "request_id": "4242424242424242-4242-4242-424242424242",
        "order_id": str(uuid4()),
        "xray_trace_id": "1-00000000-912ef25288b4471597504904",
        "webhook": "evt_1",
    }
    (tmp_path / "x.log").write_text(json.dumps(line))

    assert found(tmp_path, {}) == set()


def test_every_line_of_a_function_says_which_service_and_which_request(
    laptop: Laptop, somebody: Somebody
) -> None:
    for name, line in function_lines(laptop):
        service = name.removeprefix("box-office-dev-").split("-")[0]
        assert (line["service"], bool(line.get("request_id"))) == (service, True), (name, line)


def test_every_line_of_a_purchase_says_which_order(laptop: Laptop, somebody: Somebody) -> None:
    lines = [(name, line) for name, line in function_lines(laptop) if "-saga-" in name]

    assert {name for name, line in lines if line.get("order_id") == somebody.order_id} >= {
        f"box-office-dev-{task}.log"
        for task in (
            "tickets-saga-reserve",
            "payments-saga-charge",
            "tickets-saga-issue",
            "tickets-saga-notify",
        )
    }
    assert [line for _, line in lines if not line.get("order_id")] == []


def function_lines(laptop: Laptop) -> list[tuple[str, dict[str, Any]]]:
    """The lines of our loggers; what Lambda and libraries say names the request in its own way, a metric nobody."""
    lines = [
        (name, json.loads(line))
        for name, text in texts(laptop.state / "logs")
        if name.startswith("box-office-dev-")
        for line in text.splitlines()
        if line.startswith("{")
    ]
    return [(name, line) for name, line in lines if "level" in line and "requestId" not in line]
