"""Access tokens: ES256 JWTs, 15 minutes. Everything about them is pinned: algorithm, key, issuer, audience, claims.

RFC 8725 says why: a token's header is the attacker's to write.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import jwt

from functions.auth.settings import ACCESS_TOKEN_SECONDS
from functions.auth.signing_keys import ALGORITHM, keys
from shared.errors import Unauthenticated
from shared.identity import Role
from shared.signing_keys import SigningKey

ISSUER = "box-office"
AUDIENCE = "box-office-api"
CLAIMS = ["iss", "aud", "sub", "sid", "role", "email", "iat", "exp", "jti"]


@dataclass(frozen=True)
class Claims:
    """What a valid token says of its bearer."""

    user_id: UUID
    session_id: UUID
    role: Role
    email: str


@dataclass(frozen=True)
class Issuer:
    """Signs with the current key; tokens are good for so many seconds."""

    key: SigningKey[Any]
    seconds: int

    def token(self, claims: Claims, at: datetime) -> str:
        """A signed token."""
        issued_at = int(at.timestamp())
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "role": str(claims.role),
            "email": claims.email,
            "iat": issued_at,
            "exp": issued_at + self.seconds,
            "jti": str(uuid4()),
        }
        return jwt.encode(payload, self.key.private, algorithm=ALGORITHM, headers={"kid": self.key.kid})


def issuer() -> Issuer:
    """The issuer with the current key. May ask for the key: not while a transaction is open.

    Nor after one that has exchanged a refresh token: its user, told to try again, would come with the old one, which
    ends the session.

    Raises:
        Unavailable: the secret is not readable.
    """
    return Issuer(keys.current(), ACCESS_TOKEN_SECONDS())


def verify(token: str) -> Claims:
    """What the token says, if it is one of ours and its time is not over.

    Raises:
        Unauthenticated: it is not, for whatever reason.
        Unavailable: the public keys cannot be read.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = keys.public(kid) if isinstance(kid, str) else None
        if key is None:
            raise Unauthenticated()
        payload: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": CLAIMS, "strict_aud": True},
        )
        return Claims(
            UUID(payload["sub"]), UUID(payload["sid"]), Role(payload["role"]), str(payload["email"])
        )
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as bad:
        raise Unauthenticated() from bad
