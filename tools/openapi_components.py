"""The parts of the OpenAPI document that every operation shares: errors, headers, the token."""

from typing import Any

from shared.idempotency import KeyConflict
from shared.maintenance import UnderMaintenance

Json = dict[str, Any]
JSON = "application/json"

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

# Parameters that mean the same wherever they are taken.
PARAMETER_HELP: Json = {
    "limit": {"description": "How many items a page has at most"},
    "cursor": {"description": "`nextCursor` of the page before"},
    "from": {"description": "Not before this instant, or date (UTC)"},
    "to": {"description": "Not after this instant, or date (UTC)"},
    "If-Match": {"description": "The `version` that the change is made to; 409 if there is another by now"},
}

PROVIDER_EVENT: Json = {"id": "evt_1PqX", "type": "payment_intent.succeeded"}


def signature(name: str) -> Json:
    """The parameter for a header by which a provider signs its call."""
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": "By which the provider signs the body",
        "schema": {"type": "string"},
        "example": "t=1893456000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
    }


def idempotency_key(*, required: bool) -> Json:
    """The header's parameter, demanded or honoured."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Any text of your own, one per intention; kept for 24 hours",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "example": "6f2d9c1e-purchase-of-two",
    }


DESCRIPTIONS = {
    "400": "Wrong input; `details` names each offending field",
    "401": "No token, or not a valid one",
    "403": "Your role may not do this",
    "404": "Unknown, or somebody else's private object",
    "409": "The current state does not allow this",
    "413": "The body is too large",
    "429": "Too often",
    "500": "Something went wrong on our side",
    "502": "A provider that we depend on failed",
    "503": "Temporarily unavailable",
    "504": "It took too long, here or at a provider that we depend on",
}
_TELL_WHEN = ("429", "503", "504")

# What may come before, around or instead of a route: code → message, and the field that it is about.
Said = dict[str, tuple[str, str | None]]
VERSION: Said = {"UNSUPPORTED_VERSION": ("This API version is not supported", "API-Version")}
INPUT: Said = {"VALIDATION_ERROR": ("Invalid input provided", "limit")}
NO_TOKEN: Said = {"UNAUTHORIZED": ("A valid access token is needed.", None)}
NO_ROLE: Said = {"FORBIDDEN": ("Your role may not do this", None)}
TOO_LARGE: Said = {"REQUEST_TOO_LARGE": ("The request is too large.", None)}
TOO_OFTEN: Said = {"TOO_MANY_REQUESTS": ("Too many requests. Try again later.", None)}
BROKEN: Said = {"INTERNAL_ERROR": ("Something went wrong on our side", None)}
DOWN: Said = {"SERVICE_UNAVAILABLE": ("Temporarily unavailable, try again shortly", None)}
CLOSED: Said = {"MAINTENANCE": (UnderMaintenance.message, None)}
LATE: Said = {"TIMEOUT": ("This took too long. Try again.", None)}
USED_KEY: Said = {KeyConflict.code: (KeyConflict.message, None)}
UNKNOWN: Said = {"NOT_FOUND": ("Not found", None)}

# Responses that many operations have, by the names that they are shared under.
USUAL: dict[tuple[str, frozenset[str]], str] = {
    ("400", frozenset(INPUT | VERSION)): "400",
    ("401", frozenset(NO_TOKEN)): "401",
    ("403", frozenset(NO_ROLE)): "403",
    ("404", frozenset(UNKNOWN)): "404",
    ("409", frozenset(USED_KEY)): "409",
    ("413", frozenset(TOO_LARGE)): "413",
    ("429", frozenset(TOO_OFTEN)): "429",
    ("500", frozenset(BROKEN)): "500",
    ("503", frozenset(DOWN)): "503",
    ("503", frozenset(DOWN | CLOSED)): "503.writing",
    ("504", frozenset(LATE)): "504",
}


def error_response(status: str, said: Said, examples: Json) -> Json:
    """The response of an error status with these codes; what they look like is added to `examples`."""
    shown = {}
    for code, (message, field) in sorted(said.items()):
        name = f"{status}.{code}"
        shown[code] = {"$ref": f"#/components/examples/{name}"}
        examples.setdefault(name, {"summary": message.rstrip("."), "value": _body(code, message, field)})
    retry = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}} if status in _TELL_WHEN else {}
    return {
        "description": DESCRIPTIONS[status],
        "headers": EVERY_ANSWER | retry,
        "content": {JSON: {"schema": _schema(sorted(said)), "examples": shown}},
    }


def _body(code: str, message: str, field: str | None) -> Json:
    details = [{"field": field, "message": _COMPLAINTS.get(field, "Not valid")}] if field else []
    return {
        "error": {
            "code": code,
            "message": message,
            "details": details,
            "timestamp": "2030-05-01T09:30:00.000Z",
            "requestId": "0b9d3f0a-5f0e-4d0c-9a57-6a1c3f0e8b21",
        }
    }


_COMPLAINTS = {
    "API-Version": "Supported: 1",
    "limit": "Input should be less than or equal to 100",
}


def _schema(codes: list[str]) -> Json:
    """An error with one of these codes."""
    code = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string", "enum": codes}}}
    these = {"type": "object", "required": ["error"], "properties": {"error": code}}
    return {"allOf": [{"$ref": "#/components/schemas/Error"}, these]}
