"""What must be in no log, by its kind: told by its look, or because it is known."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.card_data import looks_like_card_number

SIGNS = {
    "a JSON Web Token": re.compile(r"eyJ[A-Za-z0-9_-]{8,}"),
    "an Authorization header": re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,}"),
    "a password's hash": re.compile(r"\$argon2"),
    "a QR code": re.compile(r"\bBO1\.[A-Za-z0-9_-]+"),
    "a key of Stripe's": re.compile(r"\b(sk|rk|whsec)_[A-Za-z0-9_]{4,}"),
    "a client secret": re.compile(r"_secret_[A-Za-z0-9]+"),
    "a payment method": re.compile(r"\b(pm|tok|src)_[A-Za-z0-9_]+"),
    "a key of SendGrid's": re.compile(r"\bSG\.[A-Za-z0-9_-]{4,}"),
    "a private key": re.compile(r"PRIVATE KEY|\"d\": ?\""),
    "an access key of AWS's": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"),
    "a presigned address": re.compile(r"(?i)X-Amz-(Signature|Security-Token)"),
    "a link's token": re.compile(r"\btoken=[\w.~-]+"),
    "an e-mail address": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]"),
}
# Whom mails come from is no secret.
OURS = ("tickets@box-office.example",)
# As short as our shortest generated secrets.
SHORTEST = 12
# Ids and times; nothing that a card's number could lie in.
NO_CARDS = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]?\d*|[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
    r'|"Timestamp": ?\d{13}'
)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder of logs, whatever it is called."""
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        yield file.name, file.read_text(errors="replace")


def found(folder: Path, known: dict[str, str]) -> set[tuple[str, str]]:
    """(file, kind) of all that should not be there; `known` is kind by secret. The secret itself is not repeated."""
    return {(name, kind) for name, text in texts(folder) for kind in _kinds(text, known)}


def _kinds(text: str, known: dict[str, str]) -> Iterator[str]:
    for kind, sign in SIGNS.items():
        if any(match.group() not in OURS for match in sign.finditer(text)):
            yield kind
    yield from (kind for secret, kind in known.items() if secret in text)
    if any(looks_like_card_number(NO_CARDS.sub("", line)) for line in text.splitlines()):
        yield "a card's number"


def held_secrets(state: Path) -> dict[str, str]:
    """Kind by value of every secret that a laptop cloud keeps in its Secrets Manager."""
    held = json.loads((state / "secrets.json").read_text())
    return {value: f"of the secret {name}" for name, text in held.items() for value in _strings(text)}


def _strings(value: Any) -> Iterator[str]:
    """The private strings of a secret, which is JSON; of a public part of a key nobody minds."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = value
        if inner != value and not isinstance(inner, int | float):
            yield from _strings(inner)
        elif len(value) >= SHORTEST and "://" not in value and "BEGIN CERTIFICATE" not in value:
            yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in ("kid", "x", "y", "current", "publishableKey", "webhookId", "clientId"):
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
