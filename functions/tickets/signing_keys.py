"""The keys of QR codes: Ed25519, published as a JWK set, replaced in three steps (`shared.key_rotation`).

A ticket may be shown years after it was signed, so a public key stays published for good.
"""

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from shared.key_rotation import Rotation
from shared.signing_keys import Jwk, Keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def encode(data: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """The reverse of `encode`; ValueError for anything else."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:  # more than one text would stand for the same bytes
        raise binascii.Error("not canonical")
    return data


def _parse_private(key: Jwk) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(decode(key["d"]))


def _parse_public(key: Jwk) -> "Ed25519PublicKey | None":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(decode(key["x"])) if key.get("crv") == "Ed25519" else None


def new_key() -> Jwk:
    """A new key as a JWK (RFC 8037), named after its public part."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    kid = encode(hashlib.sha256(public).digest()[:6])
    jwk = {"kid": kid, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
    return jwk | {"x": encode(public), "d": encode(private.private_bytes_raw())}


keys: "Keys[Ed25519PrivateKey, Ed25519PublicKey]" = Keys(
    "ticket_keys", "TICKET_KEYS_SECRET_ARN", private=_parse_private, public=_parse_public
)
rotation = Rotation(keys, new_key, life=None)
