"""On deployment: make the key that signs access tokens, once, and publish what verifies them.

The keys are made here and nowhere else, so that no one has ever seen them. Publishing is repeated each time: it costs
nothing, and mends a Parameter Store that lost the value.
"""

import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from functions.auth.access_tokens import ALGORITHM
from functions.auth.random_tokens import new_token
from functions.auth.signing_keys import PARAMETER
from shared import aws
from shared.job import job

PUBLIC_PARTS = ("kty", "crv", "x", "y", "kid", "use", "alg")


def create_signing_keys(_event: dict[str, Any]) -> int:
    """The number of keys made: 1 at the first deployment, 0 ever after."""
    arn = os.environ["TOKEN_KEYS_SECRET_ARN"]
    held = _held(arn)
    made = held is None
    if held is None:
        key = _new_key()
        held = {"current": key["kid"], "keys": [key]}
        aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(held))
    public = [{part: key[part] for part in PUBLIC_PARTS} for key in held["keys"]]
    aws.client("ssm").put_parameter(
        Name=f"{os.environ['SETTINGS_PREFIX']}/{PARAMETER}",
        Value=json.dumps({"keys": public}),
        Type="String",
        Overwrite=True,
    )
    return int(made)


def _held(arn: str) -> dict[str, Any] | None:
    """What the secret holds, if those are keys and not the placeholder that a new secret comes with."""
    secrets = aws.client("secretsmanager")
    try:
        held = json.loads(secrets.get_secret_value(SecretId=arn).get("SecretString", ""))
    except (ValueError, secrets.exceptions.ResourceNotFoundException):
        return None
    return held if isinstance(held, dict) and held.get("keys") else None


def _new_key() -> dict[str, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(private, as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"kid": new_token()[:16], "use": "sig", "alg": ALGORITHM}


handler = job("auth", create_signing_keys)
