"""On deployment: make the key that signs QR codes, once, and publish what verifies them."""

from typing import Any

from functions.tickets.signing_keys import rotation
from shared.job import job


def create_signing_keys(_event: dict[str, Any]) -> int:
    """The number of keys made: 1 at the first deployment, 0 ever after."""
    return rotation.create()


handler = job("tickets", create_signing_keys)
