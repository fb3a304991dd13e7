"""IAM's policy language, as far as the templates use it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.resources import ACCOUNT, AssemblyError

Context = Mapping[str, str]
"""What is known of a call, by condition key in lower case."""

CONTEXT_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        "kms:encryptioncontext:aws:sns:topicarn",
        "kms:viaservice",
        "lambda:sourcefunctionarn",
    }
)
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
_FIELDS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"}


@dataclass(frozen=True)
class Caller:
    """Who calls: a role of ours, or one of AWS's services on behalf of something of ours.

    Attributes:
        name: the role's ARN, or the service's name (`sns.amazonaws.com`).
        label: what the record of denials calls it: a function, a state machine.
        source: the ARN of what a service acts for, or of the function whose code calls.
    """

    name: str
    label: str
    source: str = ""

    @property
    def is_service(self) -> bool:
        """Whether it is one of AWS's services, which no policy but the resource's can let in."""
        return not self.name.startswith("arn:")

    @property
    def context(self) -> Context:
        """What conditions can know of it. The laptop's plain connections stand for TLS."""
        known = {"aws:securetransport": "true"}
        if self.is_service:
            return known | {"aws:sourcearn": self.source, "aws:sourceaccount": ACCOUNT}
        known |= {"aws:principalarn": self.name, "aws:principalaccount": ACCOUNT}
        return known | ({"lambda:sourcefunctionarn": self.source} if self.source else {})


class Statement:
    """One statement of a policy, ready to be asked.

    Raises AssemblyError for what it does not understand; a policy that is `lenient` may name condition keys that no
    call on this machine has, which then are absent.
    """

    def __init__(self, raw: Mapping[str, Any], where: str, *, lenient: bool = False) -> None:
        if unknown := raw.keys() - _FIELDS:
            raise AssemblyError(
                f"{where}: a statement has {sorted(unknown)}, which the laptop cloud does not know"
            )
        self.allows = raw["Effect"] == "Allow"
        self._action = _matcher(raw, "Action", fold=True)
        self._resource = _matcher(raw, "Resource", fold=False)
        self._principals = _principals(raw.get("Principal"))
        self._conditions = [
            _condition(operator, key, _texts(values), where, lenient=lenient)
            for operator, keys in raw.get("Condition", {}).items()
            for key, values in keys.items()
        ]

    def covers(self, action: str, resource: str, context: Context) -> bool:
        """Whether it is about such a call, whoever makes it."""
        return (
            self._action(action)
            and self._resource(resource)
            and all(condition(context) for condition in self._conditions)
        )

    def names(self, caller: Caller) -> bool:
        """Whether the caller is among its principals by name, or everybody is."""
        return bool(self._principals & {"*", caller.name})

    @property
    def delegates(self) -> bool:
        """Whether it leaves the decision to the policies of the account's roles."""
        return bool(self._principals & {"*", ROOT, ACCOUNT})


def decide(
    caller: Caller,
    action: str,
    resource: str,
    identity: Iterable[Statement],
    on_resource: Iterable[Statement],
    context: Context,
) -> str | None:
    """None if the call is allowed; else why it is not."""
    own = [s for s in identity if s.covers(action, resource, context)]
    theirs = [s for s in on_resource if s.covers(action, resource, context)]
    if any(not s.allows for s in own) or any(not s.allows and s.names(caller) for s in theirs):
        return "an explicit deny"
    if any(s.allows and s.names(caller) for s in theirs):
        return None
    if caller.is_service:
        return "no resource policy allows it"
    if not any(s.allows for s in own):
        return "no identity policy allows it"
    if action.startswith("kms:") and not any(s.allows and s.delegates for s in theirs):
        return "the key's policy does not leave it to the account"
    return None


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


@cache
def _pattern(text: str, *, fold: bool) -> re.Pattern[str]:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if fold else 0))


def _matcher(raw: Mapping[str, Any], field: str, *, fold: bool) -> Callable[[str], bool]:
    """Whether a text is one of the field's, or none of those in its `Not…`; a key's policy has no resource: itself."""
    patterns = [_pattern(text, fold=fold) for text in _texts(raw.get(field, raw.get(f"Not{field}", "*")))]
    wanted = f"Not{field}" not in raw
    return lambda text: any(pattern.fullmatch(text) for pattern in patterns) == wanted


def _principals(raw: Any) -> frozenset[str]:
    if raw is None:
        return frozenset()
    if isinstance(raw, str):
        return frozenset({raw})
    return frozenset(text for values in raw.values() for text in _texts(values))


def _condition(
    operator: str, key: str, wanted: list[str], where: str, *, lenient: bool
) -> Callable[[Context], bool]:
    key, if_exists = key.lower(), operator.endswith("IfExists")
    test = _OPERATORS.get(operator.removesuffix("IfExists"))
    if test is None:
        raise AssemblyError(f"{where}: the laptop cloud does not know the condition {operator}")
    if key not in CONTEXT_KEYS and not lenient:
        raise AssemblyError(f"{where}: the laptop cloud does not know {key} of a call")

    def holds(context: Context) -> bool:
        value = context.get(key)
        return if_exists if value is None and if_exists else test(value, wanted)

    return holds


def _equal(value: str | None, wanted: list[str]) -> bool:
    return value in wanted


def _like(value: str | None, wanted: list[str]) -> bool:
    return value is not None and any(_pattern(text, fold=False).fullmatch(value) for text in wanted)


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": _equal,
    "StringNotEquals": lambda value, wanted: not _equal(value, wanted),
    "StringLike": _like,
    "StringNotLike": lambda value, wanted: not _like(value, wanted),
    "ArnEquals": _like,  # IAM's own: it is the same as ArnLike
    "ArnLike": _like,
    "ArnNotEquals": lambda value, wanted: not _like(value, wanted),
    "ArnNotLike": lambda value, wanted: not _like(value, wanted),
    "Bool": _equal,
    "Null": lambda value, wanted: str(value is None).lower() in wanted,
}
