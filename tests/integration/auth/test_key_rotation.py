"""Replacing the key of access tokens: published, used, retired, and nobody is signed out by it."""

import json
import os
from datetime import datetime, timedelta
from typing import Any

import boto3
import jwt
import pytest

from functions.auth.jobs import create_signing_keys, rotate_signing_keys
from functions.auth.signing_keys import rotation
from shared.clock import now
from shared.key_rotation import NotDue
from tests.cloud import Extension
from tests.people import Desk, publish_keys
from tests.support import context

CACHED = timedelta(seconds=900)
TOKEN = timedelta(seconds=900)


class Keyring:
    """The keys as an operator and everybody else see them, once caches have forgotten what was before."""

    def __init__(self, desk: Desk, extension: Extension) -> None:
        self._desk, self._extension = desk, extension
        self._person = desk.person()

    def take(self, step: str, at: datetime, *, force: bool = False) -> None:
        """Take a step, and let every cache hear of it."""
        rotation.take(step, at, force=force)
        publish_keys(self._extension, os.environ["TOKEN_KEYS_SECRET_ARN"])

    def published(self) -> list[str]:
        """The ids of the keys that anybody may verify tokens with."""
        return [key["kid"] for key in self._desk.ask("jwks").body["keys"]]

    def token(self) -> str:
        """A token of a new session."""
        return str(self._desk.signed_in(self._person)["accessToken"])


def unreachable(*_: Any) -> None:
    raise ConnectionError("Nobody answers")


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def held() -> dict[str, Any]:
    arn = os.environ["TOKEN_KEYS_SECRET_ARN"]
    text = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    kept: dict[str, Any] = json.loads(text)
    return kept


@pytest.fixture
def ring(desk: Desk, extension: Extension) -> Keyring:
    return Keyring(desk, extension)


def test_a_key_is_replaced_without_signing_anybody_out_and_a_retired_one_verifies_nothing(
    desk: Desk, ring: Keyring
) -> None:
    (old,) = ring.published()
    before, at = ring.token(), now()

    ring.take("publish", at)
    _, new = ring.published()
    assert kid_of(ring.token()) == old, "nobody signs with a key that others may not have heard of"
    with pytest.raises(NotDue, match="Not before"):
        ring.take("use", at + CACHED - timedelta(seconds=2))

    ring.take("use", at + CACHED)
    after = ring.token()
    assert (kid_of(before), kid_of(after)) == (old, new)
    assert desk.is_let_in(before), "the old key still verifies"
    assert desk.is_let_in(after)
    with pytest.raises(NotDue, match="Not before"):
        ring.take("retire", at + CACHED + CACHED + TOKEN - timedelta(seconds=2))

    ring.take("retire", at + CACHED + CACHED + TOKEN)
    assert ring.published() == [new]
    assert [key["kid"] for key in held()["keys"]] == [new]
    assert not desk.is_let_in(before), "its own time is not over, its key's is"
    assert desk.is_let_in(after)


def test_a_key_can_be_replaced_again_and_again(ring: Keyring) -> None:
    at = now()
    for turn in range(3):
        begun = at + turn * timedelta(hours=1)
        ring.take("publish", begun)
        ring.take("use", begun + CACHED)
        ring.take("retire", begun + CACHED + CACHED + TOKEN)

    assert ring.published() == [held()["current"]]


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([], "use"),
        ([], "retire"),
        ([], "begin"),
        (["publish"], "publish"),
        (["publish"], "retire"),
        (["publish", "use"], "use"),
        (["publish", "use", "retire"], "retire"),
    ],
)
def test_the_steps_come_in_their_order(ring: Keyring, steps: list[str], refused: str) -> None:
    for step in steps:
        ring.take(step, now(), force=True)
    before = held()

    with pytest.raises(NotDue):
        rotation.take(refused, now(), force=True)

    assert held() == before


def test_a_key_that_leaked_is_replaced_without_waiting_by_an_operators_command(
    desk: Desk, ring: Keyring, extension: Extension
) -> None:
    leaked = ring.token()

    for step in ("publish", "use", "retire"):
        assert rotate_signing_keys.handler({"step": step, "force": True}, context()) == {"handled": 1}
    publish_keys(extension, os.environ["TOKEN_KEYS_SECRET_ARN"])

    assert not desk.is_let_in(leaked)
    assert desk.is_let_in(ring.token())


def test_a_command_without_a_step_changes_nothing(ring: Keyring) -> None:
    before = held()

    with pytest.raises(NotDue, match="publish, use, retire"):
        rotate_signing_keys.handler({}, context())

    assert held() == before


@pytest.mark.parametrize("broken", ["_publish", "_keep"])
def test_a_key_whose_publishing_broke_off_is_published_when_that_is_tried_again(
    ring: Keyring, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = held()
    with monkeypatch.context() as away, pytest.raises(ConnectionError):
        away.setattr(rotation, broken, unreachable)
        rotation.take("publish", now())
    assert held() == before, "no key is held that was never published"

    at = now()
    ring.take("publish", at)
    published = ring.published()
    ring.take("use", at + CACHED)

    assert held()["current"] in published


@pytest.mark.parametrize("broken", ["_publish", "_keep"])
def test_the_first_key_is_held_once_it_is_published(
    desk: Desk, extension: Extension, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    arn = os.environ["TOKEN_KEYS_SECRET_ARN"]
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="{}")
    with monkeypatch.context() as away, pytest.raises(ConnectionError):
        away.setattr(rotation, broken, unreachable)
        rotation.create()
    assert held() == {}

    assert rotation.create() == 1

    publish_keys(extension, arn)
    assert [key["kid"] for key in desk.ask("jwks").body["keys"]] == [held()["current"]]


@pytest.mark.parametrize("broken", ["_publish", "_keep"])
@pytest.mark.parametrize(("before", "step"), [(["publish"], "use"), (["publish", "use"], "retire")])
def test_a_step_that_broke_off_is_taken_again(
    desk: Desk, ring: Keyring, monkeypatch: pytest.MonkeyPatch, before: list[str], step: str, broken: str
) -> None:
    for earlier in before:
        ring.take(earlier, now(), force=True)
    with monkeypatch.context() as away, pytest.raises(ConnectionError):
        away.setattr(rotation, broken, unreachable)
        rotation.take(step, now(), force=True)

    ring.take(step, now(), force=True)

    assert held()["current"] in ring.published()
    assert desk.is_let_in(ring.token())


def test_a_deployment_meanwhile_publishes_what_there_is(ring: Keyring, extension: Extension) -> None:
    ring.take("publish", now())
    published = ring.published()

    assert create_signing_keys.handler({}, context()) == {"handled": 0}

    publish_keys(extension, os.environ["TOKEN_KEYS_SECRET_ARN"])
    assert ring.published() == published


def test_nothing_private_is_ever_published(desk: Desk, ring: Keyring) -> None:
    for step in ("publish", "use"):
        ring.take(step, now(), force=True)
        for key in desk.ask("jwks").body["keys"]:
            assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
