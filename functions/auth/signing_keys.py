"""The keys of access tokens: ES256, published as a JWK set, replaced in three steps (`shared.key_rotation`)."""

from typing import Any

from jwt import PyJWK

from functions.auth.random_tokens import new_token
from functions.auth.settings import ACCESS_TOKEN_SECONDS
from shared.key_rotation import Rotation
from shared.signing_keys import Jwk, Keys

ALGORITHM = "ES256"


def _parse(key: Jwk) -> Any:
    return PyJWK(key, algorithm=ALGORITHM).key


def _parse_public(key: Jwk) -> Any | None:
    return _parse(key) if key.get("crv") == "P-256" else None


def _new_key() -> Jwk:
    from cryptography.hazmat.primitives.asymmetric import ec
    from jwt.algorithms import ECAlgorithm

    jwk: Jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"kid": new_token()[:16], "use": "sig", "alg": ALGORITHM}


keys: Keys[Any, Any] = Keys("jwks", "TOKEN_KEYS_SECRET_ARN", private=_parse, public=_parse_public)
rotation = Rotation(keys, _new_key, life=ACCESS_TOKEN_SECONDS)
