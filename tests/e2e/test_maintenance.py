"""Maintenance on the laptop: what reads and what must not stop go on, what writes is told when to come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Answer, Client, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture(scope="module")
def closed(assembly: Path) -> Iterator[Client]:
    """A visitor of a laptop cloud under maintenance."""
    settings = "maintenance_enabled=true maintenance_retry_after_seconds=30"
    running = Laptop(settings=settings, assembly=assembly)
    try:
        yield running.start().client
    finally:
        running.remove()


def test_what_writes_is_told_when_to_come_back(closed: Client) -> None:
    def ask() -> Answer | None:
        answer = closed.post("/api/auth/forgot-password", {"email": "ada@example.com"})
        return None if answer.status == 429 else answer  # a machine that is busy starting

    answer = eventually(ask)

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
