"""At deployment: make the keys that sign QR codes if there are none, and publish the public ones."""

from typing import Any

from functions.tickets import signing_keys
from shared.job import job


def create_signing_keys(_event: dict[str, Any]) -> int:
    """The number of keys made: 1 at the first deployment, 0 ever after."""
    return signing_keys.create()


handler = job("tickets", create_signing_keys)
