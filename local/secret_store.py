"""The secrets of one state folder: generated as Secrets Manager would, kept in a file between starts."""

from __future__ import annotations

import json
import os
import secrets
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.resources import Secret

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


class SecretStore:
    """The value of every secret, by physical name. Changes are kept by `save`."""

    def __init__(self, path: Path, values: dict[str, str]) -> None:
        self._path = path
        self._values = values

    @classmethod
    def open(cls, path: Path, declared: Iterable[Secret]) -> SecretStore:
        """Read the file and generate what is declared and not in it. Raises ValueError if the file is damaged."""
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        store = cls(path, {})
        for secret in declared:
            store._values[secret.name] = kept.get(secret.name) or _first_value(secret)
        store.save()
        return store

    def names(self) -> list[str]:
        """The physical names of all secrets."""
        return list(self._values)

    def text(self, name: str) -> str:
        """A secret as its text. Raises KeyError."""
        return self._values[name]

    def value(self, name: str) -> dict[str, Any]:
        """A secret that is a JSON object. Raises KeyError; ValueError if it is not JSON."""
        value: dict[str, Any] = json.loads(self._values[name])
        return value

    def put(self, name: str, text: str) -> None:
        """Replace a secret by `text`."""
        self._values[name] = text

    def update(self, name: str, fields: Mapping[str, Any]) -> None:
        """Put `fields` into a secret that is a JSON object; one that is not becomes one."""
        try:
            value = self.value(name)
        except ValueError:
            value = {}
        self._values[name] = json.dumps({**(value if isinstance(value, dict) else {}), **fields})

    def save(self) -> None:
        """Write the file at once or not at all, readable by its owner alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._values, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _first_value(secret: Secret) -> str:
    if secret.literal is not None:
        return secret.literal
    rules = secret.generate
    if rules is None:
        return "{}"
    password = generate_password(rules)
    if "SecretStringTemplate" not in rules:
        return password
    return json.dumps({**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: password})


def generate_password(rules: Mapping[str, Any]) -> str:
    """A password by the rules of `GenerateSecretString`: by default 32 characters, one at least of each kind.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html
    """
    kinds = [
        string.ascii_lowercase * (not rules.get("ExcludeLowercase", False)),
        string.ascii_uppercase * (not rules.get("ExcludeUppercase", False)),
        string.digits * (not rules.get("ExcludeNumbers", False)),
        _PUNCTUATION * (not rules.get("ExcludePunctuation", False)),
        " " * bool(rules.get("IncludeSpace", False)),
    ]
    excluded = set(rules.get("ExcludeCharacters", ""))
    kinds = ["".join(letter for letter in kind if letter not in excluded) for kind in kinds]
    kinds = [kind for kind in kinds if kind]
    length = int(rules.get("PasswordLength", 32))
    letters = [secrets.choice(kind) for kind in kinds] if rules.get("RequireEachIncludedType", True) else []
    letters += [secrets.choice("".join(kinds)) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters[:length])
