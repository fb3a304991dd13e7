"""The key that signs webhooks, its certificate, and the root that signed that: made once per state folder.

PayPal's own are at `https://api.paypal.com/v1/notifications/certs/CERT-…`, signed by a public authority.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NAME = "CERT-simulated-0001"
_YEARS = timedelta(days=3650)


@dataclass(frozen=True)
class Signer:
    """Signs with the key that `certificate` (PEM) is of; `root` (PEM) is to be trusted by who verifies."""

    key: rsa.RSAPrivateKey
    certificate: str
    root: str

    def sign(self, message: bytes) -> bytes:
        """An RSA signature over the SHA-256."""
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def of(folder: Path) -> Signer:
    """The signer of a state folder, made if there is none."""
    file = folder / "signer.pem"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(_made())
        draft.rename(file)
    key_pem, certificate, root = file.read_text().split("\n\n")
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Signer(key, certificate, root)


def issue(
    name: str, issuer: tuple[x509.Certificate, rsa.RSAPrivateKey] | None, *, is_authority: bool
) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A certificate for this host, and its key; signed by itself without an issuer."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    at = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + _YEARS)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    return certificate, key


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _made() -> str:
    root = issue("simulated-root.example", None, is_authority=True)
    certificate, key = issue("messageverificationcerts.paypal.com", root, is_authority=False)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return "\n\n".join((key_pem.strip(), pem(certificate).strip(), pem(root[0]).strip()))
