"""X-Ray's header, carried by hand: its SDK takes 330 ms to import, and Lambda, the API, SNS and SQS trace without it.

Lambda puts the header of an invocation into the environment, and boto3 sends it with every call from there. A message
leaves with the header of whoever wrote it, so that a trace goes on through the outbox, also where a sweep publishes.
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "_X_AMZN_TRACE_ID"


def header() -> str | None:
    """This invocation's."""
    return os.environ.get(VARIABLE) or None


@contextmanager
def going_on(header: str | None) -> Iterator[None]:
    """What is called in here belongs to the trace of this header, if there is one."""
    own = os.environ.get(VARIABLE)
    if header is not None:
        os.environ[VARIABLE] = header
    try:
        yield
    finally:
        if own is not None:
            os.environ[VARIABLE] = own
        elif header is not None:
            os.environ.pop(VARIABLE, None)
