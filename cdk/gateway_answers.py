"""What API Gateway says by itself, in the shape that the handlers' errors have."""

import json
from collections.abc import Sequence

HEADERS = {
    "API-Version": "1",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Vary": "Origin",
    "X-Content-Type-Options": "nosniff",
}

# The gateway's answers: type → status, code, message. Those without a row come as one of the two defaults.
ANSWERS = {
    "ACCESS_DENIED": (403, "FORBIDDEN", "You may not do this."),
    "API_CONFIGURATION_ERROR": (500, "INTERNAL_ERROR", "Something went wrong on our side."),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "INTERNAL_ERROR", "Something went wrong on our side."),
    "AUTHORIZER_FAILURE": (503, "SERVICE_UNAVAILABLE", "Your access token cannot be checked now. Try again."),
    "BAD_REQUEST_BODY": (400, "VALIDATION_ERROR", "The body of the request is not what this route takes."),
    "BAD_REQUEST_PARAMETERS": (400, "VALIDATION_ERROR", "A parameter of the request is missing or wrong."),
    "DEFAULT_4XX": (None, "BAD_REQUEST", "The request cannot be served."),
    "DEFAULT_5XX": (None, "INTERNAL_ERROR", "Something went wrong on our side."),
    "EXPIRED_TOKEN": (401, "UNAUTHORIZED", "A valid access token is needed."),
    "INTEGRATION_FAILURE": (503, "SERVICE_UNAVAILABLE", "This cannot be served now. Try again."),
    "INTEGRATION_TIMEOUT": (504, "TIMEOUT", "This took too long. Try again."),
    "INVALID_API_KEY": (403, "FORBIDDEN", "You may not do this."),
    "INVALID_SIGNATURE": (401, "UNAUTHORIZED", "A valid access token is needed."),
    # AWS's name for an unknown route.
    "MISSING_AUTHENTICATION_TOKEN": (404, "NOT_FOUND", "There is no such route."),
    "QUOTA_EXCEEDED": (429, "TOO_MANY_REQUESTS", "Too many requests. Try again later."),
    "REQUEST_TOO_LARGE": (413, "REQUEST_TOO_LARGE", "The request is too large."),
    "RESOURCE_NOT_FOUND": (404, "NOT_FOUND", "There is no such route."),
    "THROTTLED": (429, "TOO_MANY_REQUESTS", "Too many requests. Try again later."),
    "UNAUTHORIZED": (401, "UNAUTHORIZED", "A valid access token is needed."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UNSUPPORTED_MEDIA_TYPE", "The body of a request is JSON here."),
    "WAF_FILTERED": (403, "FORBIDDEN", "You may not do this."),
}
RETRY_AFTER = {429: "1", 503: "5", 504: "5"}  # seconds


def headers_of(status: int | None) -> dict[str, str]:
    """Name → mapping expression: static values are in quotes."""
    values = HEADERS | ({"Retry-After": RETRY_AFTER[status]} if status in RETRY_AFTER else {})
    return quoted(values) | {"X-Request-Id": "context.requestId"}


def quoted(values: dict[str, str]) -> dict[str, str]:
    """Static values as API Gateway's mapping expressions: only the outermost quotes are syntax."""
    return {name: f"'{value}'" for name, value in values.items()}


def body_of(code: str, message: str) -> str:
    """The error's body. Gateway responses know `$context` but no template language, hence AWS's form of the time."""
    error = {
        "code": code,
        "message": message,
        "details": [],
        "timestamp": "$context.requestTime",
        "requestId": "$context.requestId",
    }
    return json.dumps({"error": error})


def allow_origin(origins: Sequence[str]) -> str:
    """The template of a preflight's answer: names the origin that asks if it is one of these, nobody otherwise."""
    known = " || ".join(f'$origin == "{origin}"' for origin in origins)
    return "\n".join(
        [
            '#set($origin = $input.params().header.get("Origin"))',
            '#if($origin == "")#set($origin = $input.params().header.get("origin"))#end',
            f"#if({known})",
            '#set($context.responseOverride.header.Access-Control-Allow-Origin = "$origin")',
            "#end",
        ]
    )


def origin_of(origins: Sequence[str]) -> dict[str, str]:
    """Who may read the gateway's own errors: mapping expression of the one origin there is, or else of whoever asks.

    These answers know no template that could tell several origins apart, and a front end that could not read a 401
    would not know that its token has expired. They hold nothing but a code and the request's id, and a browser of
    another origin gets no further than its preflight.
    """
    value = f"'{origins[0]}'" if len(origins) == 1 else "method.request.header.Origin"
    return {"Access-Control-Allow-Origin": value}
