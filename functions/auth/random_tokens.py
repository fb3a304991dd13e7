"""Random tokens that are handed out once and kept only as a hash."""

import hashlib
import secrets

BYTES = 32


def new_token() -> str:
    """A token that cannot be guessed (256 bits), fit for a URL."""
    return secrets.token_urlsafe(BYTES)


def digest(text: str) -> str:
    """What is stored of a token: it is random, so an unsalted SHA-256 cannot be turned back."""
    return hashlib.sha256(text.encode()).hexdigest()
