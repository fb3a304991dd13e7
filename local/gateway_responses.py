"""API Gateway's own answers, with the status, headers and templates that the API declares for them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from aiohttp import web

from local.gateway_events import Call
from local.resources import MockResponse

DEFAULTS: dict[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "User is not authorized to access this resource with an explicit deny"),
    "API_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "BAD_REQUEST": (400, "Bad Request"),
    "DEFAULT_5XX": (502, "Internal server error"),
    "INTEGRATION_FAILURE": (504, "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
}
"""The status and the message of each response type that can happen here."""
_AWS_TEMPLATE = '{"message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$context\.([A-Za-z][A-Za-z.]*)")


def gateway_response(call: Call, kind: str) -> web.Response:
    """The answer of response type `kind`: declared for it, else for all 4XX or 5XX, else AWS's own."""
    status, message = DEFAULTS[kind]
    family = "DEFAULT_4XX" if status < 500 else "DEFAULT_5XX"
    own, general = call.api.responses.get(kind), call.api.responses.get(family)
    declared = own or general
    if (
        declared is not None
        and declared.status is not None
        and not (declared is general and kind == "DEFAULT_5XX")
    ):
        status = declared.status
    variables = _variables(call, kind, message, status)
    template = (declared.templates.get("application/json") if declared else None) or _AWS_TEMPLATE
    response = web.Response(
        status=status,
        text=_VARIABLE.sub(lambda match: _substitute(variables, match[1]), template),
        content_type="application/json",
    )
    if declared is not None:
        response.headers.update(mapped_headers(declared.headers, call, variables))
    response.headers["x-amzn-ErrorType"] = kind
    return response


def mapped_headers(
    expressions: Mapping[str, str], call: Call, variables: Mapping[str, str]
) -> dict[str, str]:
    """Headers from API Gateway's mapping expressions: a quoted text, `context.…` or `method.request.header.…`."""
    headers = {}
    for name, expression in expressions.items():
        if expression.startswith("'"):
            headers[name] = expression[1:-1].replace("\\'", "'")
        elif expression.startswith("context."):
            headers[name] = _substitute(variables, expression.removeprefix("context."))
        elif value := call.request.headers.get(expression.removeprefix("method.request.header.")):
            headers[name] = value
    return headers


def mock_response(call: Call, mock: MockResponse) -> web.Response:
    """The answer of a MOCK integration: a CORS preflight."""
    response = web.Response(status=mock.status)
    response.headers.update(mapped_headers(mock.headers, call, _variables(call, "", "", mock.status)))
    origin = call.request.headers.get("Origin", "")
    if mock.origins is not None and (origin in mock.origins or "*" in mock.origins):
        response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _variables(call: Call, kind: str, message: str, status: int) -> dict[str, str]:
    variables = {
        "apiId": call.api.id,
        "domainName": call.domain,
        "error.message": message,
        "error.messageString": json.dumps(message),
        "error.responseType": kind,
        "extendedRequestId": call.id.replace("-", "")[:16],
        "httpMethod": call.request.method,
        "identity.sourceIp": call.request.remote or "",
        "path": f"/{call.api.stage}{call.path}",
        "protocol": "HTTP/1.1",
        "requestId": call.id,
        "requestTime": call.request_time,
        "requestTimeEpoch": str(int(call.at * 1000)),
        "resourcePath": call.route.path if call.route else "",
        "stage": call.api.stage,
        "status": str(status),
    }
    return variables | {f"authorizer.{name}": str(value) for name, value in call.authorizer.items()}


def _substitute(variables: Mapping[str, str], name: str) -> str:
    """The variable's value; the longest known name counts, since a template may end a sentence after it."""
    known = name
    while known:
        if known in variables:
            return variables[known] + name[len(known) :]
        known = known.rpartition(".")[0]
    return ""
