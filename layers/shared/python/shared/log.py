"""Structured logs: one JSON line each, with service, request, correlation and order id; no personal data, no secrets.

The correlation id is that of the request with which something began. A purchase carries it through its saga, its
messages and its mail, so that one search finds all of its lines in the logs of all functions.
"""

from contextvars import ContextVar
from typing import Any

from aws_lambda_powertools import Logger

_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)


def logger(service: str) -> Logger:
    """The service's logger; `append_keys(order_id=…)` adds what the rest of the invocation is about."""
    return Logger(service=service, utc=True, serialize_stacktrace=False)


def begin(
    log: Logger, request_id: str | None, *, order_id: str | None = None, correlation_id: str | None = None
) -> None:
    """Say what the lines from now on are about: a warm process still knows what those before were about.

    Args:
        request_id: API Gateway's of a request, Lambda's of anything else.
        correlation_id: of what this goes on with; this request's own if it begins something.
    """
    log.append_keys(request_id=request_id, order_id=order_id, message_id=None)
    follow(log, correlation_id or request_id)


def follow(log: Logger, correlation_id: str | None) -> None:
    """The lines from now on, and messages written from now on, belong to this."""
    _correlation.set(correlation_id)
    log.append_keys(correlation_id=correlation_id)


def correlation_id() -> str | None:
    """What this process is working on."""
    return _correlation.get()


def invocation_id(context: Any) -> str | None:
    """Lambda's id of this invocation."""
    return getattr(context, "aws_request_id", None)


__all__ = ["Logger", "begin", "correlation_id", "follow", "invocation_id", "logger"]
