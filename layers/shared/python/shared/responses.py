"""What goes out over HTTP: answers, errors in the design document's body, and the headers of every answer."""

import json
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from shared.clock import iso, now
from shared.errors import AppError

JSON = "application/json"
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


class File:
    """An answer that is not JSON of a model: a picture (bytes), a page (text)."""

    def __init__(
        self, content: bytes | str, content_type: str, *, headers: dict[str, str] | None = None
    ) -> None:
        self.content, self.content_type, self.headers = content, content_type, headers or {}


@dataclass(frozen=True)
class WithStatus:
    """An answer with another status than its route's usual one: 503 of a health check, 200 where 201 is usual."""

    status: int
    body: BaseModel


def answer_of(
    result: Any, status: int, *, replayed: dict[str, Any] | None = None, cache_seconds: int = 0
) -> Response[Any]:
    """The HTTP answer to a route's result: a model (maybe with a status), a `File`, or nothing (204)."""
    headers: dict[str, Any] = {"Cache-Control": f"public, max-age={cache_seconds}"} if cache_seconds else {}
    if replayed is not None:
        headers["Idempotency-Replayed"] = "true"
        body = None if replayed["body"] is None else json.dumps(replayed["body"])
        return Response(replayed["status"], JSON, body, headers=headers)
    if isinstance(result, WithStatus):
        result, status = result.body, result.status
    if isinstance(result, File):
        return Response(status, result.content_type, result.content, headers=headers | result.headers)
    if isinstance(result, BaseModel):
        return Response(
            status, JSON, result.model_dump_json(by_alias=True, exclude_unset=False), headers=headers
        )
    return Response(status, JSON, "" if result is None else json.dumps(result), headers=headers)


def error_of(error: AppError, request_id: str) -> dict[str, Any]:
    """A proxy answer with the error's body."""
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": [{"field": d.field, "message": d.message} for d in error.details],
            "timestamp": iso(now()),
            "requestId": request_id,
        }
    }
    headers = {"Content-Type": JSON}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return {
        "statusCode": error.status,
        "headers": headers,
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
