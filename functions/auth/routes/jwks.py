"""GET /.well-known/jwks.json: the public keys that verify access tokens."""

from functions.auth import signing_keys
from functions.auth.models import JwkSet
from shared.api import Api

api = Api("auth")


@api.get("/.well-known/jwks.json", cache_seconds=300)
def jwks() -> JwkSet:
    """The public keys, as a JWK set."""
    return JwkSet(keys=signing_keys.published())


handler = api.handler
