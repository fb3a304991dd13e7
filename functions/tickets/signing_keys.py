"""Making the keys that sign QR codes, at deployment."""

import hashlib
import json
import os
from typing import Any

from functions.tickets.models import TicketKey
from functions.tickets.qr_codes import decode, encode
from shared import aws


def create() -> int:
    """Make a key if the secret holds none, and publish the public ones; the number of keys made.

    Publishing is repeated each time, so that a deployment that stopped in between is mended by the next.
    """
    secrets, arn = aws.client("secretsmanager"), os.environ["TICKET_KEYS_SECRET_ARN"]
    secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    made = 0
    if not secret.get("keys"):
        secret, made = _new_secret(), 1
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(secret))
    public = {"keys": [_public(key).model_dump() for key in secret["keys"]]}
    aws.client("ssm").put_parameter(
        Name=f"{os.environ['SETTINGS_PREFIX']}/ticket_keys",
        Value=json.dumps(public),
        Type="String",
        Overwrite=True,
    )
    return made


def _new_secret() -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    kid = encode(hashlib.sha256(key.public_key().public_bytes_raw()).digest()[:6])
    return {"current": kid, "keys": [{"kid": kid, "privateKey": encode(key.private_bytes_raw())}]}


def _public(key: dict[str, str]) -> TicketKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(decode(key["privateKey"]))
    x = encode(private.public_key().public_bytes_raw())
    return TicketKey(kid=key["kid"], kty="OKP", crv="Ed25519", alg="EdDSA", use="sig", x=x)
