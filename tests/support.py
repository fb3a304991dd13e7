"""Calling a route's handler as API Gateway would: a proxy event in, status, body and headers out."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID, uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.identity import Role, User

CLOUDFRONT = "130.176.0.9"
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    """A handler's answer: `body` is parsed if it is JSON, bytes if it was base64, else the text."""

    status: int
    body: Any
    headers: dict[str, str] = field(repr=False)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.body["error"]["code"])

    @property
    def fields(self) -> set[str]:
        """The fields that a 400 complains about."""
        return {detail["field"] for detail in self.body["error"]["details"]}


def a_user(role: Role = Role.ATTENDEE, *, id: UUID | None = None, session_id: UUID | None = None) -> User:
    """A signed-in caller, somebody new unless `id` is given."""
    return User(id or uuid4(), role, session_id or uuid4(), token="a-token")


def call(
    handler: Handler,
    method: str,
    path: str,
    *,
    resource: str | None = None,
    body: Any = None,
    raw_body: str | bytes | None = None,
    user: User | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    source_ip: str = "203.0.113.7",
) -> Reply:
    """Call `handler` with the event that API Gateway would make of this request.

    Args:
        path: the path of the URL, with or without a query string.
        resource: the template's path, e.g. `/api/events/{id}`; by default the one the handler's route declares.
        body: sent as JSON; `raw_body` is sent as it is (bytes as base64).
        user: the caller that the authorizer let in; None for a call without a token.
    """
    event = proxy_event(
        method,
        path,
        resource or _declared(handler) or urlsplit(path).path,
        body=json.dumps(body) if body is not None else raw_body,
        user=user,
        headers=headers or {},
        query=query or {},
        source_ip=source_ip,
    )
    return reply_of(handler(event, context()))


def proxy_event(
    method: str,
    path: str,
    resource: str,
    *,
    body: str | bytes | None = None,
    user: User | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, Any] | None = None,
    source_ip: str = "203.0.113.7",
) -> dict[str, Any]:
    """A REST proxy event (payload format 1.0), as API Gateway sends it."""
    url = urlsplit(path)
    values = parse_qs(url.query, keep_blank_values=True)
    values |= {name: [str(value)] for name, value in (query or {}).items()}
    sent = {"X-Forwarded-For": f"{source_ip}, {CLOUDFRONT}"}
    sent |= {"Content-Type": "application/json"} if body is not None else {}
    sent |= {"Authorization": f"Bearer {user.token}"} if user else {}
    sent |= headers or {}
    return {
        "resource": resource,
        "path": url.path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: found[-1] for name, found in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": _path_parameters(resource, url.path) or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": str(uuid4()),
            "resourcePath": resource,
            "httpMethod": method,
            "path": url.path,
            "stage": "dev",
            "identity": {"sourceIp": CLOUDFRONT},
            **({"authorizer": _authorizer_context(user)} if user else {}),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def context(name: str = "box-office-dev-test") -> LambdaContext:
    """What Lambda says of an invocation."""
    lambda_context = LambdaContext()
    lambda_context._function_name = name
    lambda_context._function_version = "$LATEST"
    lambda_context._invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    lambda_context._memory_limit_in_mb = 512
    lambda_context._aws_request_id = str(uuid4())
    return lambda_context


def reply_of(answer: dict[str, Any]) -> Reply:
    """What the client sees of a proxy answer."""
    body, headers = answer.get("body"), answer["headers"]
    if answer.get("isBase64Encoded"):
        return Reply(answer["statusCode"], base64.b64decode(body or ""), headers)
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return Reply(answer["statusCode"], json.loads(body) if body and is_json else body, headers)


def _declared(handler: Handler) -> str | None:
    """The path that the route of this handler (a method of its Api) declares."""
    declared = getattr(getattr(handler, "__self__", None), "declared", None)
    return str(declared[0].path) if declared else None


def _path_parameters(resource: str, path: str) -> dict[str, str]:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(resource))
    found = re.fullmatch(pattern, path)
    return {name: unquote(value) for name, value in found.groupdict().items()} if found else {}


def _authorizer_context(user: User) -> dict[str, Any]:
    return {
        "userId": str(user.id),
        "role": str(user.role),
        "sessionId": str(user.session_id),
        "email": f"{user.id}@example.com",
        "principalId": str(user.id),
    }
