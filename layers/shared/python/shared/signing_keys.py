"""The keys that a service signs with: private ones in a secret, for those who sign; public ones in Parameter Store.

Both are JWKs (RFC 7517, RFC 8037). The secret is `{"current": kid, "keys": [...]}`, its keys say as well when they were
published and replaced. Several are published at once while keys are rotated: see `shared.key_rotation`.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared import parameters
from shared.errors import Unavailable

Private = TypeVar("Private")
Public = TypeVar("Public")
Jwk = dict[str, Any]

PUBLIC_PARTS = ("kid", "kty", "crv", "alg", "use", "x", "y")
REFRESH_SECONDS = 300
# A signature with an unknown key id may be of a key published just now; look again, but not for every forgery.
LOOK_AGAIN_SECONDS = 10


@dataclass(frozen=True)
class SigningKey(Generic[Private]):
    """The key to sign with."""

    kid: str
    private: Private


class Keys(Generic[Private, Public]):
    """The keys of one service, as a process knows them; read on first use.

    Args:
        parameter: the published keys' name in Parameter Store.
        secret: the environment variable that names the secret's ARN.
        private, public: a key from its JWK; `public` returns None for a key of another kind.
    """

    def __init__(
        self,
        parameter: str,
        secret: str,
        *,
        private: Callable[[Jwk], Private],
        public: Callable[[Jwk], Public | None],
    ) -> None:
        self.parameter, self.secret = parameter, secret
        self._parse_private, self._parse_public = private, public
        self._signing: SigningKey[Private] | None = None
        self._signing_read_at = 0.0
        self._public: dict[str, Public] = {}
        self._public_read_at: float | None = None

    def current(self) -> SigningKey[Private]:
        """The key to sign with, at most five minutes old here.

        Raises:
            Unavailable: the secret cannot be read, or holds no keys yet.
        """
        if self._signing is None or time.monotonic() - self._signing_read_at > REFRESH_SECONDS:
            self._signing, self._signing_read_at = self._read_current(), time.monotonic()
        return self._signing

    def public(self, kid: str) -> Public | None:
        """The public key with this id; None if none is published.

        Raises:
            Unavailable: the keys cannot be read and this one is not known from before.
        """
        limit = REFRESH_SECONDS if kid in self._public else LOOK_AGAIN_SECONDS
        if self._public_read_at is None or time.monotonic() - self._public_read_at > limit:
            try:
                self._public, self._public_read_at = self._read_public(), time.monotonic()
            except Unavailable:
                # Keys known from before stay good: Parameter Store being away must not sign everybody out.
                if kid not in self._public:
                    raise
        return self._public.get(kid)

    def published(self) -> list[Jwk]:
        """The public keys as they are published.

        Raises:
            Unavailable: Parameter Store cannot be read.
        """
        keys: list[Jwk] = json.loads(parameters.parameter(self.parameter))["keys"]
        return keys

    def forget(self) -> None:
        """Forget what was read; the next use reads again."""
        self._signing, self._public, self._public_read_at = None, {}, None

    def _read_current(self) -> SigningKey[Private]:
        held = parameters.secret(os.environ[self.secret])
        for key in held.get("keys", []):
            if key["kid"] == held.get("current"):
                return SigningKey(key["kid"], self._parse_private(key))
        raise Unavailable(self.parameter)

    def _read_public(self) -> dict[str, Public]:
        parsed = ((key["kid"], self._parse_public(key)) for key in self.published())
        return {kid: key for kid, key in parsed if key is not None}


def public_part(key: Jwk) -> Jwk:
    """What everybody may know of a key."""
    return {part: key[part] for part in PUBLIC_PARTS if part in key}
