"""The keys of access tokens: private ones in a secret, for those who sign; public ones in Parameter Store, for all.

Several may be published at once, so that keys can be rotated: publish the new one, sign with it, later drop the old.
"""

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from jwt import PyJWK

from shared import parameters
from shared.errors import Unavailable

PARAMETER = "jwks"
REFRESH_SECONDS = 300
# A token with an unknown key id may be signed with a key published just now; look again, but not for every forgery.
LOOK_AGAIN_SECONDS = 10


@dataclass(frozen=True)
class SigningKey:
    """The key to sign with."""

    kid: str
    private: Any


@dataclass(frozen=True)
class _PublicKeys:
    by_kid: dict[str, Any]
    read_at: float

    @property
    def age(self) -> float:
        return time.monotonic() - self.read_at


_signing: tuple[SigningKey, float] | None = None
_public: _PublicKeys | None = None


def current() -> SigningKey:
    """The key to sign with, at most five minutes old here.

    Raises:
        Unavailable: the secret cannot be read, or holds no keys yet.
    """
    global _signing
    if _signing is None or time.monotonic() - _signing[1] > REFRESH_SECONDS:
        _signing = (_read_signing_key(), time.monotonic())
    return _signing[0]


def public(kid: str) -> Any | None:
    """The public key with this id; None if none is published.

    Raises:
        Unavailable: the keys cannot be read and this one is not known from before.
    """
    global _public
    known = _public
    limit = REFRESH_SECONDS if known and kid in known.by_kid else LOOK_AGAIN_SECONDS
    if known is None or known.age > limit:
        try:
            known = _public = _PublicKeys(_keys_of(published()), time.monotonic())
        except Unavailable:
            # Keys known from before stay good: Parameter Store being away must not sign everybody out.
            if known is None or kid not in known.by_kid:
                raise
    return known.by_kid.get(kid)


def published() -> list[dict[str, Any]]:
    """The public keys as they are published: JWKs (RFC 7517).

    Raises:
        Unavailable: Parameter Store cannot be read.
    """
    keys: list[dict[str, Any]] = json.loads(parameters.parameter(PARAMETER))["keys"]
    return keys


def forget() -> None:
    """Forget what was read; the next use reads again."""
    global _signing, _public
    _signing = _public = None


def _read_signing_key() -> SigningKey:
    held = parameters.secret(os.environ["TOKEN_KEYS_SECRET_ARN"])
    for key in held.get("keys", []):
        if key["kid"] == held.get("current"):
            return SigningKey(key["kid"], PyJWK(key, algorithm="ES256").key)
    raise Unavailable("token keys")


def _keys_of(jwks: list[dict[str, Any]]) -> dict[str, Any]:
    return {key["kid"]: PyJWK(key, algorithm="ES256").key for key in jwks if key.get("crv") == "P-256"}
