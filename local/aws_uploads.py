"""Has moto's S3 hold a presigned POST to its policy, which moto signs and never reads again.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.s3.responses import S3Response

from local.aws_replace import replace
from local.permissions.grants import secret_key

if TYPE_CHECKING:
    from local.aws_permissions import Door

# Fields that need no condition: those of the signature, the file itself, and what S3 says may be ignored.
_FREE = ("policy", "x-amz-signature", "file", "awsaccesskeyid")


class Refused(Exception):
    """What S3 would answer: a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def install(door: Door | None = None) -> None:
    """Look at every form before moto takes its file. Call once, before the server starts.

    `door` says whether who signed a form may do himself what he lets others do.
    """
    take = S3Response._bucket_response_post

    def take_form(self: S3Response, request: Any, bucket_name: str) -> Any:
        if "multipart/form-data" not in (request.headers.get("Content-Type") or ""):
            return take(self, request, bucket_name)  # a deletion of several keys
        try:
            fields = {name.lower(): value for name, value in request.form.items()}
            check(fields, bucket_name, len(self.body), datetime.now(UTC))
            if door is not None and not door.may_post(_signer(fields), bucket_name, fields.get("key", "")):
                raise Refused(403, "AccessDenied", "Access Denied")
        except Refused as refused:
            headers = {"Content-Type": "application/xml"} | self._get_cors_headers_other()
            return refused.status, headers, _xml(refused)
        status, headers, body = take(self, request, bucket_name)
        return status, headers | self._get_cors_headers_other(), body

    replace(S3Response, _bucket_response_post=take_form)


def check(fields: Mapping[str, str], bucket: str, size: int, at: datetime) -> None:
    """Hold a form (names in lower case) with a file of `size` bytes to its signed policy. Raises Refused."""
    if "policy" not in fields:
        raise Refused(403, "AccessDenied", "Access Denied")
    if not hmac.compare_digest(_signature(fields), fields.get("x-amz-signature", "")):
        raise Refused(403, "SignatureDoesNotMatch", "The signature is not that of the policy.")
    policy = json.loads(base64.b64decode(fields["policy"]))
    if datetime.fromisoformat(policy["expiration"]) < at:
        raise Refused(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    met = {"bucket"}
    for condition in policy["conditions"]:
        met.add(_meet(condition, dict(fields) | {"bucket": bucket}, size))
    for name in fields:
        if name not in met and name not in _FREE and not name.startswith("x-ignore-"):
            raise Refused(403, "AccessDenied", f"Invalid according to Policy: Extra input fields: {name}")


def _meet(condition: Any, fields: Mapping[str, str], size: int) -> str:
    """The field that a condition is about, which meets it. Raises Refused."""
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        kind, field = "eq", f"${name}"
    else:
        kind, field, value = condition
    if kind == "content-length-range":
        if size > int(value):
            raise Refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        if size < int(field):
            raise Refused(
                400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
            )
        return "file"
    name = str(field).removeprefix("$").lower()
    found = fields.get(name, "")
    if found != value if kind == "eq" else not found.startswith(str(value)):
        raise Refused(
            403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {condition}"
        )
    return name


def _signature(fields: Mapping[str, str]) -> str:
    _, day, region, service, last = fields.get("x-amz-credential", "////").split("/")[:5]
    key = f"AWS4{secret_key(_signer(fields))}".encode()
    for part in (day, region, service, last):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.new(key, fields["policy"].encode(), hashlib.sha256).hexdigest()


def _signer(fields: Mapping[str, str]) -> str:
    """The access key that the form was signed with."""
    return fields.get("x-amz-credential", "").split("/")[0]


def _xml(refused: Refused) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refused.code}</Code><Message>{refused}</Message></Error>"
    )
