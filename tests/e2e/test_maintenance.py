"""Maintenance on the laptop: what reads and what must not stop go on, what writes is told when to come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Answer, Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def own_laptop(assembly: Path) -> Iterator[Laptop]:
    with Laptop(settings="maintenance_retry_after_seconds=30", assembly=assembly) as running:
        yield running


@pytest.fixture(scope="module")
def closed(own_laptop: Laptop) -> Client:
    """A visitor of a laptop cloud under maintenance, which began while it ran: somebody edited its flags."""
    assert ask(own_laptop.client).status == 202
    document = own_laptop.state / "flags.json"
    document.write_text(json.dumps(json.loads(document.read_text()) | {"maintenance": {"default": True}}))
    eventually(lambda: ask(own_laptop.client).status == 503)
    return own_laptop.client


def ask(client: Client) -> Answer:
    """Something that writes."""

    def asked() -> Answer | None:
        answer = client.post("/api/auth/forgot-password", {"email": "ada@example.com"})
        return None if answer.status == 429 else answer  # a machine that is busy starting

    return eventually(asked)


def test_what_writes_is_told_when_to_come_back(closed: Client) -> None:
    answer = ask(closed)

    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "MAINTENANCE", "30")


def test_what_reads_goes_on(closed: Client) -> None:
    assert closed.get("/api/events").status == 200
    assert closed.get("/api/health").status == 200


def test_signing_in_goes_on(closed: Client) -> None:
    answer = closed.post("/api/auth/login", {"email": "ada@example.com", "password": "Correct-Horse-7"})

    assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")


def test_webhooks_go_on(closed: Client) -> None:
    answer = closed.send("POST", "/api/payments/webhooks/stripe", {}, {"Stripe-Signature": "t=1,v1=0"})

    assert (answer.status, answer.code) == (400, "INVALID_SIGNATURE")
