"""QR codes: what a door verifies without the network.

A code is `BO1.<kid>.<payload>.<signature>`: the payload holds the ids of ticket and event, 16 bytes each, the
signature is Ed25519 over all that stands before it, both in base64url without padding.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from functions.tickets.models import TicketKey
from functions.tickets.signing_keys import decode, encode, keys
from shared.errors import BadInput, FieldError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = "BO1"
ID_BYTES = 16


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


def signer() -> Signer:
    """The signer with the current key.

    Raises:
        Unavailable: the secret is not readable.
    """
    key = keys.current()
    return Signer(key.kid, key.private)


def public_keys() -> list[TicketKey]:
    """The keys that verify codes, past ones included.

    Raises:
        Unavailable: they cannot be read.
    """
    return [TicketKey.model_validate(key) for key in keys.published()]


def ids_of(code: str) -> tuple[UUID, UUID]:
    """The ticket and the event that a code stands for.

    Raises:
        Forged: it is not a code of ours.
        Unavailable: the keys cannot be read.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        format, kid, payload, signature = code.split(".")
        ids = decode(payload)
        if format != FORMAT or len(ids) != 2 * ID_BYTES:
            raise Forged()
        key = keys.public(kid)
        if key is None:
            raise Forged()
        key.verify(decode(signature), f"{format}.{kid}.{payload}".encode())
    except (ValueError, InvalidSignature) as wrong:
        raise Forged() from wrong
    return UUID(bytes=ids[:ID_BYTES]), UUID(bytes=ids[ID_BYTES:])
