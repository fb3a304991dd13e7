"""By an operator's hand, with {"step": "publish", "use" or "retire"}: replace the key that signs access tokens."""

from typing import Any

from functions.auth.signing_keys import rotation
from shared.clock import now
from shared.job import job


def rotate_signing_keys(event: dict[str, Any]) -> int:
    """The number of keys touched; a retired one verifies nothing any more. `{"force": true}` does not wait."""
    return rotation.take(str(event.get("step")), now(), force=event.get("force") is True)


handler = job("auth", rotate_signing_keys)
