"""Passwords: argon2id with OWASP's figures, and the same work for an account that does not exist.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)

# Of a password that nobody knows, with the figures above.
NOBODYS_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$M+C8Oe/Og3V+ziqKxMn2Fw$qbB/S5x9vPD0IQBdUQ7pjpQaI7OLiYiKwIW4l6WD1Qs"
)


def hashed(password: str) -> str:
    """What is kept of a password (20 ms of work)."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; without a hash (no such account) the same work, and False."""
    try:
        _hasher.verify(password_hash or NOBODYS_HASH, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
