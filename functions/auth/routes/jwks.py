"""GET /.well-known/jwks.json: the public keys that verify access tokens."""

from functions.auth.models import JwkSet
from functions.auth.signing_keys import keys
from shared.api import Api

api = Api("auth")


@api.get("/.well-known/jwks.json", cache_seconds=300)
def jwks() -> JwkSet:
    """The public keys, as a JWK set."""
    return JwkSet(keys=keys.published())


handler = api.handler
