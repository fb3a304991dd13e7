"""Structured logs: one JSON line each, with service, request id and order id; no personal data, no secrets."""

from typing import Any

from aws_lambda_powertools import Logger


def logger(service: str) -> Logger:
    """The service's logger; `append_keys(order_id=…)` adds what the rest of the invocation is about."""
    return Logger(service=service, utc=True, serialize_stacktrace=False)


def begin(log: Logger, request_id: str | None, *, order_id: str | None = None) -> None:
    """Say what the lines from now on are about: a warm process still knows what those before were about.

    Args:
        request_id: API Gateway's of a request, Lambda's of anything else.
    """
    log.append_keys(request_id=request_id, order_id=order_id, message_id=None)


def invocation_id(context: Any) -> str | None:
    """Lambda's id of this invocation."""
    return getattr(context, "aws_request_id", None)


__all__ = ["Logger", "begin", "invocation_id", "logger"]
