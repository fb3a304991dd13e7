"""The decision about each call, and the record of what was denied."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from local.permissions.grants import Grants, owner
from local.permissions.policy import Caller, Statement, decide
from local.resources import REGION

DENIED = "denied.jsonl"
"""The record's name in the folder of the logs: a line for each call that was denied."""
_REMEMBERED = 20_000

# What a caller must be allowed at the key of an encrypted resource.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html (and its likes)
_AT_THE_KEY = {
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
    "secretsmanager:PutSecretValue": ("kms:GenerateDataKey", "kms:Decrypt"),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
}


def _said_to_the_key(action: str, resource: str) -> dict[str, str]:
    """What the service that encrypts says to the key, beside who asks it: its own name, and SNS its topic.

    https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html
    """
    service = action.split(":")[0]
    said = {"kms:viaservice": f"{service}.{REGION}.amazonaws.com"}
    return said | ({"kms:encryptioncontext:aws:sns:topicarn": resource} if service == "sns" else {})


class Denied(Exception):
    """The caller may not do that."""

    def __init__(self, caller: Caller, action: str, resource: str, why: str) -> None:
        super().__init__(
            f"{caller.label} is not authorized to perform: {action} on resource: {resource} because of {why}"
        )


class Gate:
    """Decides by `grants`; denials are appended to `record`."""

    def __init__(self, grants: Grants, record: Path) -> None:
        self.grants = grants
        self._record = record
        ours = {*grants.functions.values()}
        self._identity = {
            role: [Statement(raw, role, lenient=role not in ours) for raw in statements]
            for role, statements in grants.identity.items()
        }
        self._on = {
            arn: [Statement(raw, arn, lenient=":kms:" in arn or ":s3:" in arn) for raw in statements]
            for arn, statements in grants.on.items()
        }
        self._decided: dict[tuple[Caller, str, str], tuple[str, str, str] | None] = {}

    def check(self, caller: Caller, action: str, resource: str) -> None:
        """Raise Denied, and record it, unless the caller may do the action on the resource and use the key of that."""
        asked = (caller, action, resource)
        try:
            denial = self._decided[asked]
        except KeyError:
            if len(self._decided) > _REMEMBERED:
                self._decided.clear()
            denial = self._decided[asked] = self._decide(caller, action, resource)
        if denial is not None:
            self._write(caller, *denial)
            raise Denied(caller, *denial)

    def check_any(self, caller: Caller, action: str, resources: Iterable[str]) -> None:
        """Raise Denied unless the caller may do it to one of the resources, where a call does not say to which."""
        resources = list(resources)
        for resource in resources:
            if self._decide(caller, action, resource) is None:
                return
        self.check(caller, action, resources[0] if resources else "*")

    def allows(self, caller: Caller, action: str, resource: str) -> bool:
        """Whether the caller may; nothing is recorded."""
        return self._decide(caller, action, resource) is None

    def _decide(self, caller: Caller, action: str, resource: str) -> tuple[str, str, str] | None:
        """The action, the resource and the reason of a denial."""
        needed: list[tuple[str, str, dict[str, str]]] = [(action, resource, {})]
        key = self.grants.keys.get(owner(resource))
        if key is not None:
            said = _said_to_the_key(action, resource)
            needed += [(at_key, key, said) for at_key in _AT_THE_KEY.get(action, ())]
        for action, resource, more in needed:
            identity, on = self._identity.get(caller.name, ()), self._on.get(owner(resource), ())
            why = decide(caller, action, resource, identity, on, {**caller.context, **more})
            if why is not None:
                return action, resource, why
        return None

    def _write(self, caller: Caller, action: str, resource: str, why: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "caller": caller.label, "action": action, "resource": resource, "why": why}
        print(f"denied: {caller.label}: {action} on {resource}: {why}", file=sys.stderr, flush=True)
        # One write to a file opened for appending: several processes share it.
        file = os.open(self._record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)
