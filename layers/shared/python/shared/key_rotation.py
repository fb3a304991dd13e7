"""Making a service's signing keys, and replacing them in three steps: published, used, retired.

Each step is safe once nobody can remember the state before the last one. Those who verify learn of a key before it
signs anything; what was signed with the key before stays good for as long as it was meant to.

Keys are made here and nowhere else, so that no one has ever seen them. Publishing is repeated each time: it costs
nothing, and mends a Parameter Store that lost the value. What is held has been published before: of a step that broke
off in between, others know a key that nothing will ever be signed with, and it is withdrawn when the step is taken
again. The other way round, a key could come of age that nobody but its owner knows.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from shared import aws
from shared.clock import iso, now
from shared.settings import Setting
from shared.signing_keys import Jwk, Keys, public_part

Step = Literal["publish", "use", "retire"]
Held = dict[str, Any]

# Five minutes in the Lambda extension, five in a process, five in whatever cached the public route.
KEY_CACHE_SECONDS = Setting(
    "key_cache_seconds", 900, "Seconds after which nobody remembers an older list of signing keys"
)


class NotDue(Exception):
    """The step may not be taken now; the message is for the operator."""


class Rotation:
    """How the keys of one service are made and replaced.

    Args:
        make: a new key as a JWK with its private part `d`.
        life: the seconds for which a signature is good; then a replaced key is removed. None: for good, and a replaced
            key loses its private part alone.
    """

    def __init__(
        self, keys: Keys[Any, Any], make: Callable[[], Jwk], *, life: Callable[[], int] | None
    ) -> None:
        self._keys, self._make, self._life = keys, make, life

    def create(self) -> int:
        """Make the first key if there is none; the number of keys made."""
        held = self._held()
        made = held is None
        if held is None:
            key = self._make() | {"publishedAt": _seconds(now())}
            held = {"current": key["kid"], "keys": [key]}
        self._publish(held)
        if made:
            self._keep(held)
        return int(made)

    def take(self, step: str, at: datetime, *, force: bool = False) -> int:
        """Take a step; the number of keys it touched.

        Args:
            force: without waiting: for a key that has leaked, at the price of tokens that are refused meanwhile.

        Raises:
            NotDue: it is too early, or another step comes first.
        """
        held = self._held()
        if step not in get_args(Step) or held is None:
            raise NotDue(f"The step is one of {', '.join(get_args(Step))}, and there must be a key.")
        earliest = datetime.max.replace(tzinfo=UTC) if force else at
        steps = {"publish": self._add, "use": self._use, "retire": self._retire}
        touched = steps[step](held, at, earliest)
        self._publish(held)
        self._keep(held)
        return touched

    def _add(self, held: Held, at: datetime, _due: datetime) -> int:
        if _waiting(held):
            raise NotDue("A new key is published already: use it.")
        held["keys"].append(self._make() | {"publishedAt": _seconds(at)})
        return 1

    def _use(self, held: Held, at: datetime, due: datetime) -> int:
        waiting = _waiting(held)
        if not waiting:
            raise NotDue("No key waits to be used: publish one.")
        _check_due(waiting[0]["publishedAt"] + KEY_CACHE_SECONDS(), due)
        for key in held["keys"]:
            if key["kid"] == held["current"]:
                key["replacedAt"] = _seconds(at)
        held["current"] = waiting[0]["kid"]
        return 1

    def _retire(self, held: Held, _at: datetime, due: datetime) -> int:
        replaced = [key for key in held["keys"] if "replacedAt" in key and "d" in key]
        if not replaced:
            raise NotDue("No key has been replaced.")
        life = self._life() if self._life else 0
        # A process that has not heard of its successor signs with it until then.
        _check_due(max(key["replacedAt"] for key in replaced) + KEY_CACHE_SECONDS() + life, due)
        for key in replaced:
            if self._life:
                held["keys"].remove(key)
            else:
                del key["d"]
        return len(replaced)

    def _held(self) -> Held | None:
        """What the secret holds, if those are keys and not the placeholder that a new secret comes with."""
        secrets = aws.client("secretsmanager")
        try:
            held = json.loads(secrets.get_secret_value(SecretId=self._arn).get("SecretString", ""))
        except (ValueError, secrets.exceptions.ResourceNotFoundException):
            return None
        return held if isinstance(held, dict) and held.get("keys") else None

    def _keep(self, held: Held) -> None:
        aws.client("secretsmanager").put_secret_value(SecretId=self._arn, SecretString=json.dumps(held))

    def _publish(self, held: Held) -> None:
        aws.client("ssm").put_parameter(
            Name=f"{os.environ['SETTINGS_PREFIX']}/{self._keys.parameter}",
            Value=json.dumps({"keys": [public_part(key) for key in held["keys"]]}),
            Type="String",
            Overwrite=True,
        )

    @property
    def _arn(self) -> str:
        return os.environ[self._keys.secret]


def _waiting(held: Held) -> list[Jwk]:
    """The key that is published and not used yet."""
    return [key for key in held["keys"] if key["kid"] != held["current"] and "replacedAt" not in key]


def _check_due(due_at: int, at: datetime) -> None:
    due = datetime.fromtimestamp(due_at, UTC)
    if at < due:
        raise NotDue(f"Not before {iso(due)}.")


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
