"""Structured logs: one JSON line each, with service, request id and order id; no personal data, no secrets."""

from aws_lambda_powertools import Logger


def logger(service: str) -> Logger:
    """The service's logger; `append_keys(order_id=…)` adds what the rest of the invocation is about."""
    return Logger(service=service, utc=True, serialize_stacktrace=False)


__all__ = ["Logger", "logger"]
