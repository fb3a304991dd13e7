"""boto3 clients: imported on first use (the import costs 80 ms), kept, with time-outs that fit a request."""

from functools import cache
from typing import Any

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3


@cache
def client(service: str) -> Any:
    """The boto3 client for `service` (`"sns"`, `"sqs"`, `"stepfunctions"`, …)."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "max_attempts": 2},
    )
    return boto3.client(service, config=config)
