"""The event that API Gateway sends to a function behind a proxy integration (payload format 1.0), and its answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from local.resources import ACCOUNT, REGION, Api, Route
from local.routing import Match

Event = dict[str, Any]

CLOUDFRONT = "127.0.0.1"
"""Where API Gateway believes to be called from: on AWS, it is never the caller."""


class MalformedAnswer(Exception):
    """The function's answer is not what a proxy integration must give: API Gateway answers 502."""


@dataclass
class Call:
    """One request on its way through the gateway."""

    api: Api
    request: web.BaseRequest
    body: bytes
    match: Match | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: float = field(default_factory=time.time)
    authorizer: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path as it stands in the URL."""
        return self.request.rel_url.raw_path

    @property
    def route(self) -> Route | None:
        return self.match.route if self.match else None

    @property
    def request_time(self) -> str:
        """The time of arrival in the format of `$context.requestTime`."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def domain(self) -> str:
        return f"{self.api.id}.execute-api.{REGION}.amazonaws.com"

    @property
    def method_arn(self) -> str:
        """What an authorizer's policy speaks about."""
        place = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api.id}/{self.api.stage}"
        return f"{place}/{self.request.method}{self.path}"

    @property
    def _port(self) -> int:
        """The port that the client asked for; one that is no number is none."""
        try:
            return self.request.url.port or 80
        except ValueError:
            return 80

    def headers(self) -> CIMultiDict[str]:
        """The client's headers and those that CloudFront and, behind it, API Gateway add."""
        headers = CIMultiDict(self.request.headers)
        for name in ("Connection", "Transfer-Encoding", "Expect", "TE", "Upgrade", "Proxy-Authorization"):
            headers.popall(name, None)
        peer = self.request.remote or "127.0.0.1"
        forwarded = [*headers.popall("X-Forwarded-For", []), peer, CLOUDFRONT]
        headers["X-Forwarded-For"] = ", ".join(forwarded)
        headers.setdefault("X-Forwarded-Proto", "http")
        headers.setdefault("X-Forwarded-Port", str(self._port))
        headers["X-Amzn-Trace-Id"] = f"Root=1-{int(self.at):08x}-{self.id.replace('-', '')[:24]}"
        return headers


def proxy_event(call: Call) -> Event:
    """The event for the function behind the matched route."""
    encode = bool(call.body) and is_binary(
        call.request.headers.get("Content-Type"), call.api.binary_media_types
    )
    body = base64.b64encode(call.body).decode() if encode else call.body.decode("utf-8", "replace")
    return _common(call) | {"body": body if call.body else None, "isBase64Encoded": encode}


def authorizer_event(call: Call) -> Event:
    """The event for a REQUEST authorizer."""
    return {"type": "REQUEST", "methodArn": call.method_arn} | _common(call)


def _common(call: Call) -> Event:
    assert call.match is not None
    headers, query = call.headers(), call.request.rel_url.query
    return {
        "resource": call.match.route.path,
        "path": call.path,
        "httpMethod": call.request.method,
        "headers": {name: headers.getall(name)[-1] for name in headers},
        "multiValueHeaders": {name: headers.getall(name) for name in headers},
        "queryStringParameters": {name: query.getall(name)[-1] for name in query} or None,
        "multiValueQueryStringParameters": {name: query.getall(name) for name in query} or None,
        "pathParameters": call.match.parameters or None,
        "stageVariables": None,
        "requestContext": _context(call),
    }


def _context(call: Call) -> Event:
    assert call.match is not None
    unknown = (
        "cognitoIdentityPoolId,accountId,cognitoIdentityId,caller,accessKey,cognitoAuthenticationType,"
        "cognitoAuthenticationProvider,userArn,user"
    )
    return {
        "accountId": ACCOUNT,
        "apiId": call.api.id,
        "domainName": call.domain,
        "domainPrefix": call.api.id,
        "extendedRequestId": call.id.replace("-", "")[:16],
        "httpMethod": call.request.method,
        "identity": dict.fromkeys(unknown.split(","))
        | {"sourceIp": CLOUDFRONT, "userAgent": call.request.headers.get("User-Agent")},
        "path": f"/{call.api.stage}{call.path}",
        "protocol": f"HTTP/{call.request.version.major}.{call.request.version.minor}",
        "requestId": call.id,
        "requestTime": call.request_time,
        "requestTimeEpoch": int(call.at * 1000),
        "resourceId": call.match.route.resource_id,
        "resourcePath": call.match.route.path,
        "stage": call.api.stage,
    } | ({"authorizer": call.authorizer} if call.authorizer else {})


def is_binary(media_type: str | None, binary: Sequence[str]) -> bool:
    """Whether the API treats `media_type` as binary; a missing one counts as application/json."""
    kind = (media_type or "application/json").split(";")[0].strip().lower()
    main = kind.split("/")[0]
    return any(known.lower() in ("*/*", kind, f"{main}/*") for known in binary)


def proxy_response(call: Call, payload: bytes) -> web.Response:
    """The HTTP answer that a function's payload stands for. Raises MalformedAnswer."""
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise MalformedAnswer("the function's answer is not JSON") from error
    if not isinstance(answer, dict) or not set(answer) <= _FIELDS:
        raise MalformedAnswer("the function's answer is not an object with the fields of a proxy answer")
    try:
        status = int(answer["statusCode"])
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedAnswer("the function's answer has no statusCode") from error
    if not 100 <= status <= 599:
        raise MalformedAnswer(f"the function's answer has the statusCode {status}")
    response = web.Response(status=status, body=_body(call, answer), headers=_headers(answer))
    if "Content-Type" not in response.headers:
        response.headers["Content-Type"] = "application/json"
    return response


_FIELDS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def _body(call: Call, answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer("the function's body is not a string")
    accept = call.request.headers.get("Accept", "*/*").split(",")[0]
    if answer.get("isBase64Encoded") and is_binary(accept, call.api.binary_media_types):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise MalformedAnswer("the function's body is not base64") from error
    return body.encode()


def _headers(answer: Mapping[str, Any]) -> CIMultiDict[str]:
    """Both kinds of headers merged; of one name, the values of `multiValueHeaders` stand."""
    single, multiple = answer.get("headers") or {}, answer.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise MalformedAnswer("the function's headers are not an object")
    headers: CIMultiDict[str] = CIMultiDict()
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise MalformedAnswer(f"the function's multiValueHeaders.{name} is not a list")
        for value in values:
            headers.add(name, _text(name, value))
    for name, value in single.items():
        if name not in headers and value is not None:
            headers[name] = _text(name, value)
    for name in ("Content-Length", "Transfer-Encoding", "Connection"):
        headers.popall(name, None)
    return headers


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float) and "\n" not in str(value) and "\r" not in str(value):
        return str(value)
    raise MalformedAnswer(f"the function's header {name} is not one line of text")
