"""Replaces parts of moto: every place where the emulator is changed goes through here."""

from __future__ import annotations

from typing import Any


def replace(owner: Any, **replacements: Any) -> None:
    """Put each replacement in the owner's (a class's or a module's) place of that name, which must exist."""
    for name, replacement in replacements.items():
        if not hasattr(owner, name):
            raise AttributeError(f"{owner!r} has no {name}: is this another version of moto?")
        setattr(owner, name, replacement)
