"""Replacing the key of QR codes: what it signed opens the door for good, and it can sign nothing any more."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from functions.tickets import signing_keys
from functions.tickets.jobs import create_signing_keys, rotate_signing_keys
from functions.tickets.routes import check_in, ticket_keys
from functions.tickets.signing_keys import rotation
from shared.clock import now
from shared.key_rotation import NotDue
from tests.databases import Row
from tests.support import a_user, call, context
from tests.ticket_sales import Sales

CACHED = timedelta(seconds=900)


class Keyring:
    """The keys of QR codes, made by the service's own job."""

    def __init__(self, sales: Sales, arn: str) -> None:
        self.sales, self._arn = sales, arn
        create_signing_keys.handler({}, context())
        self.hear()

    def hear(self) -> None:
        """Every cache has heard of what was done."""
        published = boto3.client("ssm").get_parameter(Name="/box-office/dev/ticket_keys")["Parameter"][
            "Value"
        ]
        self.sales.extension.secrets[self._arn] = self.held()
        self.sales.extension.parameters["ticket_keys"] = published
        signing_keys.keys.forget()

    def held(self) -> dict[str, Any]:
        """What the secret holds."""
        text = boto3.client("secretsmanager").get_secret_value(SecretId=self._arn)["SecretString"]
        kept: dict[str, Any] = json.loads(text)
        return kept

    def ticket(self) -> Row:
        """A ticket issued just now."""
        event_id = self.sales.event()
        return self.sales.issued(a_user(), event_id, {self.sales.type(event_id): 1})[0]

    def replace(self) -> None:
        """All three steps, one after the other has had its time."""
        at = now()
        for step, due in (("publish", at), ("use", at + CACHED), ("retire", at + CACHED + CACHED)):
            rotation.take(step, due)
        self.hear()


@pytest.fixture
def ring(sales: Sales) -> Iterator[Keyring]:
    arn = boto3.client("secretsmanager").create_secret(Name="ticket-keys", SecretString='{"keys": []}')["ARN"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TICKET_KEYS_SECRET_ARN", arn)
        yield Keyring(sales, arn)


def kid_of(code: str) -> str:
    return code.split(".")[1]


def is_good_at_a_door_without_network(code: str) -> bool:
    """What a scanner does with the published keys and nothing else."""
    published = call(ticket_keys.handler, "GET", "/.well-known/ticket-keys.json").body["keys"]
    signed, _, signature = code.rpartition(".")
    x = next(key["x"] for key in published if key["kid"] == kid_of(code))
    Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "==="[: -len(x) % 4])).verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode()
    )
    return True


def test_tickets_of_a_replaced_key_open_the_door_for_good(ring: Keyring) -> None:
    old = ring.ticket()

    ring.replace()

    new = ring.ticket()
    assert kid_of(old["qr_code"]) != kid_of(new["qr_code"])
    for ticket in (old, new):
        assert is_good_at_a_door_without_network(ticket["qr_code"])
        body = {"qrCode": ticket["qr_code"]}
        scanned = call(
            check_in.handler, "POST", "/api/tickets/check-in", user=ring.sales.organizer, body=body
        )
        assert (scanned.status, scanned.body["ticketId"]) == (200, str(ticket["id"]))


def test_of_a_retired_key_nothing_is_left_that_signs(ring: Keyring) -> None:
    retired = ring.held()["current"]

    ring.replace()

    kept = {key["kid"]: key for key in ring.held()["keys"]}
    assert "d" not in kept[retired]
    assert "d" in kept[ring.held()["current"]]
    with pytest.raises(NotDue, match="replaced"):
        rotation.take("retire", now() + timedelta(days=1))


def test_doors_learn_of_a_key_before_it_signs(ring: Keyring) -> None:
    rotate_signing_keys.handler({"step": "publish"}, context())
    ring.hear()

    published = call(ticket_keys.handler, "GET", "/.well-known/ticket-keys.json").body["keys"]
    assert len(published) == 2
    assert kid_of(ring.ticket()["qr_code"]) == published[0]["kid"]
    with pytest.raises(NotDue, match="Not before"):
        rotate_signing_keys.handler({"step": "use"}, context())


def test_a_key_survives_being_replaced_many_times(ring: Keyring) -> None:
    old = ring.ticket()["qr_code"]
    for _ in range(3):
        ring.replace()

    assert is_good_at_a_door_without_network(old)
    assert len(ring.held()["keys"]) == 4
