"""Holds every call of the emulator to the policies of the template, and what services deliver to one another too.

The developer's own calls (`local.permissions.grants.OPERATOR`) pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import moto.s3.notifications
from moto.sns.models import Subscription

from local.aws_replace import replace
from local.permissions.calls import ANY_MACHINE, Call, UnknownCall, needs
from local.permissions.gate import Denied, Gate
from local.permissions.grants import OPERATOR
from local.permissions.policy import Caller

NOBODY = Caller("nobody", "somebody without credentials")


@dataclass(frozen=True)
class Answer:
    """What AWS answers instead of doing what was asked."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Door:
    """Asks `gate` about each request."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._callers = gate.grants.callers()

    def refusal(self, call: Call) -> Answer | None:
        """None if the caller may; else what is answered."""
        signed = call.signed
        if signed is None and (call.method == "OPTIONS" or _is_form(call)):
            return None  # a browser's question, and a form whose signature is looked at with its fields
        key, service = signed or ("", "s3")
        if key == OPERATOR:
            return None
        caller = self._callers.get(key, NOBODY)
        try:
            for action, resource in needs(call, service):
                if resource == ANY_MACHINE:
                    self._gate.check_any(caller, action, self._gate.grants.machines)
                else:
                    self._gate.check(caller, action, resource)
        except UnknownCall as unknown:
            try:
                self._gate.check(caller, str(unknown), "*")
            except Denied as denied:
                return _answer(service, call, str(denied))
        except Denied as denied:
            return _answer(service, call, str(denied))
        return None

    def hides(self, call: Call) -> Answer | None:
        """S3's 403 in place of its 404: what is not there is not told to whoever may not list the bucket."""
        signed = call.signed
        if signed is None or signed[1] != "s3" or call.method not in ("GET", "HEAD"):
            return None
        caller = self._callers.get(signed[0])
        bucket = call.path.split("?")[0].lstrip("/").split("/")[0]
        if caller is None or self._gate.allows(caller, "s3:ListBucket", f"arn:aws:s3:::{bucket}"):
            return None
        return _answer("s3", call, "Access Denied")

    def may_post(self, key: str, bucket: str, name: str) -> bool:
        """Whether who signed a form may put the object."""
        if key == OPERATOR:
            return True
        try:
            self._gate.check(self._callers.get(key, NOBODY), "s3:PutObject", f"arn:aws:s3:::{bucket}/{name}")
        except Denied:
            return False
        return True


def install(gate: Gate) -> None:
    """Hold topics and buckets to the policies of the queues that they deliver to. Call once, before the server starts.

    As on AWS, nobody is told when such a message is lost.
    """
    publish: Callable[..., None] = Subscription.publish
    tell: Callable[..., None] = moto.s3.notifications._send_sqs_message

    def publish_if_allowed(self: Subscription, *args: Any, **options: Any) -> None:
        if self.protocol != "sqs" or _may_send(gate, "sns.amazonaws.com", self.topic.arn, self.endpoint):
            publish(self, *args, **options)

    def tell_if_allowed(account_id: str, event_body: Any, queue_name: str, region_name: str) -> None:
        # The first message is a test: S3 sends it when the bucket is told of the queue.
        records = event_body.get("Records")
        bucket = records[0]["s3"]["bucket"]["arn"] if records else f"arn:aws:s3:::{event_body['Bucket']}"
        queue = f"arn:aws:sqs:{region_name}:{account_id}:{queue_name}"
        if _may_send(gate, "s3.amazonaws.com", bucket, queue):
            tell(account_id, event_body, queue_name, region_name)

    replace(Subscription, publish=publish_if_allowed)
    replace(moto.s3.notifications, _send_sqs_message=tell_if_allowed)


def _may_send(gate: Gate, service: str, source: str, queue: str) -> bool:
    try:
        gate.check(
            Caller(service, f"{service} for {source.rsplit(':', 1)[1]}", source), "sqs:SendMessage", queue
        )
    except Denied:
        return False
    return True


def _is_form(call: Call) -> bool:
    return call.method == "POST" and "multipart/form-data" in call.headers.get("content-type", "")


def _answer(service: str, call: Call, message: str) -> Answer:
    """The denial in the words and the protocol of each service."""
    if "x-amz-target" in call.headers or service == "ses":
        code = "AccessDenied" if service == "sqs" else "AccessDeniedException"
        body = json.dumps({"__type": code, "message": message}).encode()
        status = 400 if "x-amz-target" in call.headers and service != "sqs" else 403
        return Answer(status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)], body)
    if service == "s3":
        xml = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    else:
        code = "AuthorizationError" if service == "sns" else "AccessDenied"
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        xml = f"<ErrorResponse>{error}<RequestId>local</RequestId></ErrorResponse>"
    return Answer(
        403, [("Content-Type", "text/xml")], f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode()
    )
