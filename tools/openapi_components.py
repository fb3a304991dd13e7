"""The parts of the OpenAPI document that every operation shares: errors, headers, the token."""

from typing import Any

Json = dict[str, Any]

DESCRIPTION = """\
Tickets for events: find an event, hold seats, buy them, show the QR code at the door.

Sign in with `POST /api/auth/login` and send the `accessToken` as `Authorization: Bearer …`. Ids are UUIDs, instants UTC
(`2030-05-31T18:00:00.000Z`), amounts decimal strings beside a currency. Lists take `limit` and `cursor`, and answer
`items` and `nextCursor`. A POST that reserves, buys, pays or refunds takes an `Idempotency-Key`: the same key with the
same request gives the first answer again, with `Idempotency-Replayed: true`.
"""

TAGS = [
    {"name": "auth", "description": "Accounts, sessions, profiles"},
    {"name": "events", "description": "What takes place, where and when"},
    {"name": "tickets", "description": "Ticket types, holds, purchases, tickets, the door"},
    {"name": "payments", "description": "Orders and their money"},
    {"name": "notifications", "description": "Mails and their templates"},
    {"name": "platform", "description": "Health, and this document"},
]

_FIELD: Json = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
}

ERROR: Json = {
    "type": "object",
    "description": "Every error, API Gateway's own included, has this shape.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "timestamp", "requestId"],
            "properties": {
                "code": {"type": "string", "examples": ["VALIDATION_ERROR"]},
                "message": {"type": "string"},
                "details": {"type": "array", "items": _FIELD},
                "timestamp": {"type": "string"},
                "requestId": {"type": "string"},
            },
        }
    },
}

SECURITY: Json = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}

HEADERS: Json = {
    "RequestId": {"description": "Names the request in our logs", "schema": {"type": "string"}},
    "ApiVersion": {"description": "The version that answered", "schema": {"type": "string", "const": "1"}},
    "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer"}},
    "Replayed": {
        "description": "The first answer under this Idempotency-Key, given again",
        "schema": {"type": "string", "const": "true"},
    },
}
EVERY_ANSWER: Json = {
    "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
    "API-Version": {"$ref": "#/components/headers/ApiVersion"},
}

PARAMETERS: Json = {
    "ApiVersion": {
        "name": "API-Version",
        "in": "header",
        "description": "The version of the API; the newest if absent",
        "schema": {"type": "string", "const": "1"},
    }
}


def idempotency_key(*, required: bool) -> Json:
    """The header's parameter, demanded or honoured."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Any text of your own, one per intention; kept for 24 hours",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def _error(description: str, *, retry: bool = False) -> Json:
    headers = EVERY_ANSWER | ({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if retry else {})
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        "description": description,
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    }


RESPONSES: Json = {
    "400": _error("Wrong input; `details` names each offending field"),
    "401": _error("No token, or not a valid one"),
    "403": _error("Your role may not do this"),
    "404": _error("Unknown, or somebody else's private object"),
    "409": _error("The current state does not allow this"),
    "413": _error("The body is too large"),
    "429": _error("Too often", retry=True),
    "500": _error("Something went wrong on our side"),
    "502": _error("A provider that we depend on failed"),
    "503": _error("Temporarily unavailable", retry=True),
    "504": _error("It took too long, here or at a provider that we depend on", retry=True),
}
