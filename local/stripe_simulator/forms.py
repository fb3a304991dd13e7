"""Stripe's request bodies: form encoded, nested with brackets (`metadata[order_id]=…`, `expand[0]=…`)."""

import re
from collections.abc import Iterable, Mapping, Set

from local.stripe_simulator import errors
from local.stripe_simulator.ids import Json

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_INTEGER = re.compile(r"^-?\d{1,15}$")


def parse(pairs: Iterable[tuple[str, str]]) -> Json:
    """Nested values from flat ones; a level whose names are all numbers (or empty) becomes a list.

    Raises:
        Refusal: 400 for brackets that do not close, or a name used both as value and as container.
    """
    root: Json = {}
    for name, value in pairs:
        match = _NAME.match(name)
        if match is None:
            raise errors.parameter_unknown(name)
        keys = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = root
        for key in keys[:-1]:
            child = node.setdefault(key or str(len(node)), {})
            if not isinstance(child, dict):
                raise errors.parameter_invalid(match[1], "Invalid object")
            node = child
        node[keys[-1] or str(len(node))] = value
    return {name: _with_lists(value) for name, value in root.items()}


def _with_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(child) for key, child in value.items()}


class Parameters:
    """The parameters of one request, read by name and kind.

    Raises:
        Refusal: on construction for a name outside `known`; when reading, for a missing or ill-formed value.
    """

    def __init__(self, values: Mapping[str, object], known: Set[str]) -> None:
        for name in values:
            if name not in known:
                raise errors.parameter_unknown(name)
        self._values = values

    def text(self, name: str) -> str | None:
        """A string, or None when absent."""
        value = self._values.get(name)
        if value == "":
            raise errors.parameter_empty(name)
        if value is not None and not isinstance(value, str):
            raise errors.parameter_invalid(name, "Invalid string: must be a plain value")
        return value

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise errors.parameter_missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, or None when absent."""
        value = self.text(name)
        if value is None:
            return None
        if not _INTEGER.match(value):
            raise errors.parameter_invalid(name, f"Invalid integer: {value}", "parameter_invalid_integer")
        return int(value)

    def required_integer(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.integer(name)
        if value is None:
            raise errors.parameter_missing(name)
        return value

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent is false."""
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise errors.parameter_invalid(name, f"Invalid boolean: {value}")
        return value == "true"

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        """One of a few words, or None when absent."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise errors.parameter_invalid(name, f"Invalid {name}: must be one of {', '.join(allowed)}")
        return value

    def mapping(self, name: str) -> dict[str, str]:
        """A flat object of strings (metadata); absent is empty.
        Limits: 50 keys, names of 40 and values of 500 characters (https://docs.stripe.com/api/metadata).
        """
        value = self._values.get(name, {})
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise errors.parameter_invalid(name, "Invalid object")
        if len(value) > 50:
            raise errors.parameter_invalid(name, "Metadata may hold at most 50 keys")
        for key, text in value.items():
            if not isinstance(text, str) or len(key) > 40 or len(text) > 500:
                raise errors.parameter_invalid(
                    f"{name}[{key}]",
                    "Metadata names have up to 40 characters, values are strings of up to 500",
                )
        return dict(value)

    def nested(self, name: str, known: Set[str]) -> "Parameters | None":
        """An object with parameters of its own, or None when absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise errors.parameter_invalid(name, "Invalid object")
        for key in value:
            if key not in known:
                raise errors.parameter_unknown(f"{name}[{key}]")
        return Parameters(value, known)

    def texts(self, name: str) -> list[str]:
        """A list of strings; absent is empty."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise errors.parameter_invalid(name, "Invalid array")
        return value
