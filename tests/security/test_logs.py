"""Logs hold no personal data and no secrets: not those of the functions, not PostgreSQL's, not the laptop cloud's."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.box_office import Show, pay_again, publish, purchase, reserve, settled
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop

FIRST_NAME, LAST_NAME = "Zephyrine", "Quillfeather"
PASSWORD, WRONG_PASSWORD = "Unmistakable-Walrus-9", "Forgotten-Walrus-8"
CARD = "4000056655665556"


class Somebody:
    """A person who does all that leaves traces, the right way and the wrong way."""

    def __init__(self, laptop: Laptop, show: Show) -> None:
        self.visitor, self.show = laptop.client, show
        self.email = f"zephyrine-{uuid4().hex[:8]}@example.net"
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


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*.log")):
        yield file.name, file.read_text(errors="replace")


def test_nothing_of_a_person_and_no_secret_is_in_any_log(laptop: Laptop, somebody: Somebody) -> None:
    logs = dict(texts(laptop.state / "logs"))

    assert {"postgres.log", "box-office-dev-auth-register.log"} <= set(logs)
    found = {(name, secret) for name, text in logs.items() for secret in somebody.secrets if secret in text}
    assert not found


def test_no_log_holds_a_token_a_hash_of_a_password_or_a_key(laptop: Laptop, somebody: Somebody) -> None:
    for name, text in texts(laptop.state / "logs"):
        for sign in ("eyJ", "Bearer ", "$argon2", "sk_test_", "whsec_", "_secret_", "BO1.", "pm_card_"):
            assert sign not in text, (name, sign)
