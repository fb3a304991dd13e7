"""QR codes: what a door verifies without the network.

A code is `BO1.<kid>.<payload>.<signature>`: the payload holds the ids of ticket and event, 16 bytes each, the
signature is Ed25519 over all that stands before it, both in base64url without padding.
"""

import base64
import binascii
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from functions.tickets.models import TicketKey
from shared import parameters
from shared.errors import BadInput, FieldError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

T = TypeVar("T")
FORMAT = "BO1"
ID_BYTES, SIGNATURE_BYTES = 16, 64
KEEP_SECONDS = 300.0
# A key that was made a moment ago is looked for again, but not for every forged code.
RETRY_SECONDS = 10.0


class Forged(BadInput):
    """Not a code of ours."""

    code = "FORGED"
    message = "This is not a ticket of ours"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("qrCode", "The signature does not fit")])


class Signer:
    """Signs with the current key."""

    def __init__(self, kid: str, key: "Ed25519PrivateKey") -> None:
        self._kid, self._key = kid, key

    def code(self, ticket_id: UUID, event_id: UUID) -> str:
        """The QR code of a ticket."""
        signed = f"{FORMAT}.{self._kid}.{encode(ticket_id.bytes + event_id.bytes)}"
        return f"{signed}.{encode(self._key.sign(signed.encode()))}"


class _Kept(Generic[T]):
    """Something read from outside, kept for a while by this process."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._value: T | None = None
        self._read_at = 0.0

    def get(self, max_age: float = KEEP_SECONDS) -> T:
        if self._value is None or time.monotonic() - self._read_at > max_age:
            self._value, self._read_at = self._read(), time.monotonic()
        return self._value

    def forget(self) -> None:
        self._value = None


def signer() -> Signer:
    """The signer with the current key.

    Raises:
        Unavailable: the secret is not readable.
    """
    return _signer.get()


def public_keys() -> list[TicketKey]:
    """The keys that verify codes, past ones included."""
    return list(_public.get().values())


def ids_of(code: str) -> tuple[UUID, UUID]:
    """The ticket and the event that a code stands for.

    Raises:
        Forged: it is not a code of ours.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        format, kid, payload, signature = code.split(".")
        ids = decode(payload)
        if format != FORMAT or len(ids) != 2 * ID_BYTES:
            raise Forged()
        key = Ed25519PublicKey.from_public_bytes(decode(_key(kid).x))
        key.verify(decode(signature), f"{format}.{kid}.{payload}".encode())
    except (ValueError, InvalidSignature) as wrong:
        raise Forged() from wrong
    return UUID(bytes=ids[:ID_BYTES]), UUID(bytes=ids[ID_BYTES:])


def forget_keys() -> None:
    """Read the keys again when they are next needed."""
    _signer.forget()
    _public.forget()


def encode(data: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The reverse of `encode`; ValueError for anything else."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:  # more than one text would stand for the same bytes
        raise binascii.Error("not canonical")
    return data


def _key(kid: str) -> TicketKey:
    keys = _public.get()
    if kid not in keys:
        keys = _public.get(max_age=RETRY_SECONDS)
    if kid not in keys:
        raise Forged()
    return keys[kid]


def _read_signer() -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = parameters.secret(os.environ["TICKET_KEYS_SECRET_ARN"])
    current = next(key for key in secret["keys"] if key["kid"] == secret["current"])
    return Signer(current["kid"], Ed25519PrivateKey.from_private_bytes(decode(current["privateKey"])))


def _read_public_keys() -> dict[str, TicketKey]:
    keys = json.loads(parameters.parameter("ticket_keys"))["keys"]
    return {key["kid"]: TicketKey.model_validate(key) for key in keys}


_signer = _Kept(_read_signer)
_public = _Kept(_read_public_keys)
