"""What comes in over HTTP: the raw request, its headers and body, and what is refused before a route sees it."""

import base64
import json
import math
from typing import Any, cast
from uuid import uuid4

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from shared.card_data import looks_like_card_number
from shared.errors import AppError, BadInput, FieldError, NotFound
from shared.log import Logger
from shared.responses import JSON, SECURITY_HEADERS, error_of

API_VERSION = "1"
MAX_DEPTH = 32
MAX_DETAILS = 100


class UnsupportedVersion(BadInput):
    """400: `API-Version` names a version there is not."""

    code = "UNSUPPORTED_VERSION"
    message = "This API version is not supported"


class RawRequest:
    """The request as it came, for routes that need the bytes (webhooks) or the caller's address (throttling)."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event

    @property
    def body(self) -> bytes:
        """The body's exact bytes."""
        body = self._event.get("body") or ""
        return base64.b64decode(body) if self._event.get("isBase64Encoded") else body.encode()

    @property
    def source_ip(self) -> str:
        """The address that CloudFront was called from.

        CloudFront appends it to `X-Forwarded-For`, whatever the caller wrote there, and API Gateway appends
        CloudFront's: so it is the last but one. (API Gateway's own `sourceIp` is CloudFront's.)
        """
        forwarded = (self.header("X-Forwarded-For") or "").split(",")
        if len(forwarded) > 1:
            return forwarded[-2].strip()
        return str(self._event["requestContext"]["identity"]["sourceIp"])

    @property
    def headers(self) -> dict[str, str]:
        """All headers, by lower-case name."""
        return {name.lower(): value or "" for name, value in (self._event.get("headers") or {}).items()}

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        return header(self._event, name)


def header(event: dict[str, Any], name: str) -> str | None:
    """A header of a proxy event, whatever the case of its name."""
    for key, value in (event.get("headers") or {}).items():
        if key.lower() == name.lower():
            return cast("str | None", value)
    return None


def request_id(event: dict[str, Any]) -> str:
    """The id that API Gateway gave the request; it is in the answer, the logs and any error."""
    return str((event.get("requestContext") or {}).get("requestId") or uuid4())


def check_version(event: dict[str, Any]) -> None:
    """Refuse an `API-Version` that is not ours."""
    if header(event, "API-Version") not in (None, API_VERSION):
        raise UnsupportedVersion.field("API-Version", f"Supported: {API_VERSION}")


def common_headers(event: dict[str, Any], id_: str) -> dict[str, str]:
    """The headers of every answer."""
    # `Vary` also where nobody's origin is named: a cache would hand that answer to the browsers that need theirs.
    headers = {"API-Version": API_VERSION, "X-Request-Id": id_, "Vary": "Origin", **SECURITY_HEADERS}
    origin = header(event, "Origin")
    if origin is not None:
        from shared import cors

        headers |= cors.headers(origin)
    return headers


def body_text(event: dict[str, Any]) -> str:
    """The body as text."""
    try:
        return RawRequest(event).body.decode()
    except UnicodeDecodeError as bad:
        raise BadInput.field("body", "Not UTF-8") from bad


def checked(event: dict[str, Any]) -> dict[str, Any]:
    """The event, once no parameter of path or query holds what PostgreSQL cannot store, and the body is JSON."""
    if event.get("body"):
        if (header(event, "Content-Type") or JSON).partition(";")[0].strip().lower() != JSON:
            raise BadInput.field("Content-Type", "Send application/json")
        body_text(event)  # what comes after would not know what to do with other bytes
    for part in ("pathParameters", "queryStringParameters"):
        for name, value in (event.get(part) or {}).items():
            _check_text(name, name)
            _check_text(value or "", name)
            _check_card(value or "", name)
    return event | {"headers": _plain_type(event.get("headers") or {})}


def _plain_type(headers: dict[str, Any]) -> dict[str, Any]:
    """The headers with our media type spelled as Powertools looks for it; its case means nothing (RFC 9110, 8.3.1)."""
    return {name: JSON if name.lower() == "content-type" else value for name, value in headers.items()}


def parse_json(text: str | bytes) -> Any:
    """Parse a JSON body strictly: nothing bottomless, nothing that PostgreSQL cannot store, no card number.

    Raises:
        BadInput: naming the field.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as bad:
        raise BadInput.field("body", "Not valid JSON") from bad
    _check(value, "", 0)
    return value


def error_response(error: Exception, log: Logger, id_: str) -> Response[Any]:
    """The answer to whatever a route, or what comes before it, raised."""
    known = _app_error(error)
    if known is None:
        log.exception("unhandled error")
        known = AppError()
    elif known.status >= 500:
        log.warning(
            "dependency failed", extra={"code": known.code, "dependency": getattr(known, "dependency", None)}
        )
    answer = error_of(known, id_)
    return Response(answer["statusCode"], JSON, answer["body"], headers=answer["headers"])


def invalid(error: RequestValidationError) -> BadInput:
    """The fields that are not as their model wants them."""
    complaints = error.errors()[:MAX_DETAILS]  # an answer has a limit, too
    return BadInput(details=[FieldError(_field(e["loc"]), _sentence(e)) for e in complaints])


def _app_error(error: Exception) -> AppError | None:
    if isinstance(error, AppError):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error)
    if isinstance(error, RequestUnsupportedContentType):
        return BadInput.field("Content-Type", "Send application/json")
    return NotFound() if isinstance(error, NotFoundError) else None


def _field(location: tuple[Any, ...]) -> str:
    """`("body", "items", 0, "quantity")` → `items[0].quantity`."""
    parts = (
        list(location[1:])
        if location and location[0] in ("body", "query", "path", "header")
        else list(location)
    )
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    return name[:200] or "body"


def _sentence(error: dict[str, Any]) -> str:
    """Pydantic's message; it describes the rule, never repeats the input."""
    if error["type"] == "missing":
        return "This field is required"
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    return str(error["msg"])


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _check(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise BadInput.field(path.split(".")[0].split("[")[0] or "body", "Nested too deeply")
    if isinstance(value, str):
        _check_text(value, path or "body")
        _check_card(value, path or "body")
    elif isinstance(value, int | float):
        _check_number(value, path or "body")
        _check_card(value, path or "body")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, path or "body")
            _check_card(key, path or "body")
            _check(item, f"{path}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", depth + 1)


def _check_number(value: float, field: str) -> None:
    # JSON may say 1e400; Python takes that for an infinity, which is no JSON any more.
    if value in (math.inf, -math.inf):
        raise BadInput.field(field, "This number is out of range")


def _check_card(value: str | float, field: str) -> None:
    if looks_like_card_number(value):
        raise BadInput.field(
            field, "Looks like a card number: send a token from the payment provider instead"
        )


def _check_text(text: str, field: str) -> None:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput.field(
            field.encode(errors="replace").decode(), "Contains characters that cannot be stored"
        )
