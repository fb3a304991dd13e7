"""What a call of AWS's HTTP interfaces needs: which action, on which resource.

https://docs.aws.amazon.com/service-authorization/latest/reference/ has a page for each service.
"""

from __future__ import annotations

import base64
import email
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus

from local.attributes import SECRET_SUFFIX
from local.resources import ACCOUNT, REGION

_CREDENTIAL = re.compile(
    r"(?:Credential=|X-Amz-Credential=)([^/%,]+)(?:/|%2F)[^/%]+(?:/|%2F)[^/%]+(?:/|%2F)(\w+)"
)
_DELETED_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)
ANY_MACHINE = "any state machine"
"""In place of a resource: the token of a task does not say whose it is."""

Need = tuple[str, str]
"""An action and the ARN of its resource."""


class UnknownCall(Exception):
    """A call of which nobody here knows what it needs: it is denied."""


@dataclass(frozen=True)
class Call:
    """A request as it came over the wire; headers by lower-case name, the path with its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def signed(self) -> tuple[str, str] | None:
        """The access key and the service of the signature; None if there is none."""
        found = _CREDENTIAL.search(self.headers.get("authorization", "")) or _CREDENTIAL.search(self.path)
        return (found[1], found[2]) if found else None

    @property
    def operation(self) -> str:
        """The operation of the JSON and query protocols; empty in REST."""
        if target := self.headers.get("x-amz-target"):
            return target.rsplit(".", 1)[1]
        return self.form("Action")

    def form(self, name: str) -> str:
        """A field of the query protocol's form; the form may be long, and two of its fields are wanted."""
        found = re.search(rf"(?:^|&){name}=([^&]*)".encode(), self.body)
        return unquote_plus(found[1].decode()) if found else ""

    def json(self) -> dict[str, Any]:
        """The body of the JSON protocols."""
        value: dict[str, Any] = json.loads(self.body or b"{}")
        return value


def needs(call: Call, service: str) -> list[Need]:
    """All that the caller must be allowed. Raises UnknownCall."""
    reader = _READERS.get(service)
    if reader is None:
        raise UnknownCall(f"{service}:{call.operation or call.method}")
    return list(reader(call))


def _sqs(call: Call) -> Iterator[Need]:
    given = call.json()
    name = str(given.get("QueueName") or given.get("QueueUrl", "")).rsplit("/", 1)[-1]
    yield f"sqs:{call.operation.removesuffix('Batch')}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _sns(call: Call) -> Iterator[Need]:
    yield f"sns:{call.operation.removesuffix('Batch')}", call.form("TopicArn") or call.form("TargetArn")


def _ssm(call: Call) -> Iterator[Need]:
    given = call.json()
    for name in given.get("Names") or [given.get("Name") or given.get("Path", "")]:
        yield f"ssm:{call.operation}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name.lstrip('/')}"


def _secretsmanager(call: Call) -> Iterator[Need]:
    secret = str(call.json().get("SecretId", ""))
    if not secret.startswith("arn:"):
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret}{SECRET_SUFFIX}"
    yield f"secretsmanager:{call.operation}", secret


def _states(call: Call) -> Iterator[Need]:
    given = call.json()
    resource = given.get("stateMachineArn") or given.get("executionArn") or ANY_MACHINE
    yield f"states:{call.operation}", str(resource)


def _ses(call: Call) -> Iterator[Need]:
    """SES asks for the sender's identity, and for the configuration set too if one is named."""
    if not call.path.startswith("/v2/email/outbound-emails"):
        raise UnknownCall(f"ses:{call.operation or call.path}")
    given = call.json()
    raw = given.get("Content", {}).get("Raw", {}).get("Data")
    sender = given.get("FromEmailAddress") or email.message_from_bytes(base64.b64decode(raw or b""))["From"]
    domain = parseaddr(str(sender))[1].rsplit("@", 1)[-1]
    resources = [f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{domain}"]
    if name := given.get("ConfigurationSetName"):
        resources.append(f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{name}")
    for resource in resources:
        yield ("ses:SendRawEmail" if raw else "ses:SendEmail"), resource


def _s3(call: Call) -> Iterator[Need]:
    path, _, query = call.path.partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    arn, asked = f"arn:aws:s3:::{bucket}", parse_qs(query, keep_blank_values=True)
    if not key:
        yield from _s3_bucket(call, arn, asked)
        return
    action = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}.get(
        call.method
    )
    if action is None or asked.keys() & {"acl", "tagging", "retention", "legal-hold", "uploadId", "uploads"}:
        raise UnknownCall(f"s3:{call.method} {query}")
    yield f"s3:{action}", f"{arn}/{key}"
    if source := call.headers.get("x-amz-copy-source"):
        yield "s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/').split('?')[0]}"


def _s3_bucket(call: Call, arn: str, asked: Mapping[str, Any]) -> Iterator[Need]:
    if call.method == "POST" and "delete" in asked:
        for key in _DELETED_KEY.findall(call.body):
            yield "s3:DeleteObject", f"{arn}/{key.decode()}"
    elif call.method in ("GET", "HEAD") and not asked.keys() & {
        "acl",
        "policy",
        "cors",
        "versions",
        "uploads",
    }:
        yield "s3:ListBucket", arn
    else:
        raise UnknownCall(f"s3:{call.method} {sorted(asked)}")


_READERS: dict[str, Callable[[Call], Iterator[Need]]] = {
    "sqs": _sqs,
    "sns": _sns,
    "ssm": _ssm,
    "secretsmanager": _secretsmanager,
    "states": _states,
    "ses": _ses,
    "s3": _s3,
}
