"""The laptop's account at the simulated SendGrid: its API key, and the key pair that signs what it tells."""

from __future__ import annotations

import base64
import secrets as randomness
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from local.secret_store import SecretStore

_KEY = "sendgrid.pem"


def open_account(folder: Path, secrets: SecretStore, secret: str, api_base: str) -> None:
    """Put what the functions need to know into the secret; made once per state, but for the address."""
    file = folder / _KEY
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = ec.generate_private_key(ec.SECP256R1())
        file.touch(mode=0o600)
        file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = _key(folder).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secrets.update(
        secret,
        {
            "apiKey": secrets.value(secret).get("apiKey") or f"SG.laptop{randomness.token_hex(12)}",
            "webhookPublicKey": base64.b64encode(public).decode(),
            "apiBase": api_base,
        },
    )
    secrets.save()


def signed(folder: Path, body: bytes) -> dict[str, str]:
    """The headers with which SendGrid posts `body` to a webhook."""
    timestamp = str(int(time.time()))
    signature = _key(folder).sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
    }


def _key(folder: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key((folder / _KEY).read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
