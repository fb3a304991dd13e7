"""Feature flags: what an operator turns on or off, for everybody or for a share of the users, within seconds.

The document is AppConfig's, read through its Lambda extension (no boto3 in a cold start, and a cache across calls); the
rules in it are Powertools': https://docs.powertools.aws.dev/lambda/python/latest/utilities/feature_flags/

A share of the users is a rule on `bucket`, a number from 0 to 9999 that is the user's own for this flag: the same in
every function, and one who is in at ten per cent stays in at twenty.
"""

import hashlib
import http.client
import importlib.util
import json
import os
import sys
import time
from functools import cache
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from shared.log import logger
from shared.metrics import count

Value = TypeVar("Value", bound=bool | list[str])

REFRESH_SECONDS = 5
TIMEOUT_SECONDS = 1
BUCKETS = 10_000
ENGINE = "aws_lambda_powertools.utilities.feature_flags"


class Flag(Generic[Value]):
    """One named flag.

    Attributes:
        name: its name in the document.
        default: what counts while the document says nothing of it, or cannot be read: what is safe.
        help: what it is for, in one line.
        among: of a list, what may be in it.
    """

    def __init__(self, name: str, default: Value, help: str, among: tuple[str, ...] = ()) -> None:
        self.name, self.default, self.help, self.among = name, default, help, among

    def __call__(self, user: UUID | None = None) -> Value:
        """What it is now, for this user or for nobody in particular. Never raises."""
        if "FLAGS_PATH" not in os.environ:
            return self.default
        rules = _rules()
        if self.name not in rules.store.get_configuration():
            return self.default
        context = {"user": str(user), "bucket": bucket(self.name, user)} if user else {}
        found = rules.evaluate(name=self.name, context=context, default=self.default)
        return found if isinstance(found, type(self.default)) else self.default


def bucket(flag: str, user: UUID) -> int:
    """Where a user is among BUCKETS, drawn anew for each flag: nobody is always among the first."""
    digest = hashlib.sha256(f"{flag}:{user}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def forget() -> None:
    """Read the document anew at the next question; for tests."""
    _rules.cache_clear()


@cache
def _rules() -> Any:
    """Powertools' rule engine over our store.

    Its package imports boto3 for stores that are not used here, so the package itself is not run, only its modules.
    """
    if ENGINE not in sys.modules:
        spec = importlib.util.find_spec(ENGINE)
        assert spec is not None
        sys.modules[ENGINE] = importlib.util.module_from_spec(spec)
    engine = importlib.import_module(f"{ENGINE}.feature_flags")
    schema = importlib.import_module(f"{ENGINE}.schema")
    return engine.FeatureFlags(store=_Document(schema.SchemaValidator))


class _Document:
    """The flags as the extension has them (Powertools calls this a store provider), looked at every few seconds.

    While it cannot be read, or says what no rule can be, what was known before stays in force, and a metric counts it.
    """

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        self._known: dict[str, Any] = {}
        self._asked_at = float("-inf")

    @property
    def get_raw_configuration(self) -> dict[str, Any]:
        """The document."""
        return self.get_configuration()

    def get_configuration(self) -> dict[str, Any]:
        """The document, the same object as long as it says the same: the engine validates each object once."""
        if time.monotonic() - self._asked_at > REFRESH_SECONDS:
            self._asked_at = time.monotonic()
            self._refresh()
        return self._known

    def _refresh(self) -> None:
        service = os.environ.get("POWERTOOLS_SERVICE_NAME", "box-office")
        try:
            found = _read(os.environ["FLAGS_PATH"])
            if found != self._known:
                self._validator(found).validate()
                self._known = found
        except Exception as error:  # noqa: BLE001  # a flag must not be what breaks a request, whatever is wrong with it
            logger(service).warning("flags unavailable", extra={"error": type(error).__name__})
            count(service, "FlagsUnavailable")


def _read(path: str) -> dict[str, Any]:
    port = int(os.environ.get("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "2772"))
    connection = http.client.HTTPConnection("localhost", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(f"the extension answers {response.status}")
    return cast(dict[str, Any], json.loads(body))
