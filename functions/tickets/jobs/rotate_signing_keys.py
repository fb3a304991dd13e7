"""By an operator's hand, with {"step": "publish", "use" or "retire"}: replace the key that signs QR codes."""

from typing import Any

from functions.tickets.signing_keys import rotation
from shared.clock import now
from shared.job import job


def rotate_signing_keys(event: dict[str, Any]) -> int:
    """The number of keys that were touched; a retired one still verifies, and can sign nothing any more."""
    return rotation.take(str(event.get("step")), now(), force=event.get("force") is True)


handler = job("tickets", rotate_signing_keys)
