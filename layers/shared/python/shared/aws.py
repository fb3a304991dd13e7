"""boto3 clients: imported on first use (the import costs 80 ms), kept, with time-outs that fit a request."""

from functools import cache
from typing import Any

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3


@cache
def client(
    service: str, *, read_timeout: int = READ_TIMEOUT_SECONDS, tries: int = 3, signature: str | None = None
) -> Any:
    """The boto3 client for `service` (`"sns"`, `"sqs"`, `"stepfunctions"`, …).

    Args:
        read_timeout: seconds to wait for an answer.
        tries: how often a request is made whose outcome is unknown or a failure of the service's; 1 for what must not
            happen twice.
        signature: of requests that others will send, where the service's usual one will not do (`"s3v4"`).
    """
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": tries},
        signature_version=signature,
    )
    return boto3.client(service, config=config)
