"""The executions of the purchase's state machine: named after their order, so that starting one twice is one run."""

import json
import os
from uuid import UUID

from shared import aws
from shared.log import logger

log = logger("tickets")


def start(order_id: UUID, correlation_id: str | None, run: int = 1) -> bool:
    """Start the order's saga, unless it runs; False if this run of it is over, however it ended.

    A standard workflow's name and input start it once; when it is over, the name is taken for 90 days:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    Args:
        correlation_id: the purchase's own, for it is part of the input.
        run: from 1; each has a name of its own.
    """
    from botocore.exceptions import ClientError

    given = {"orderId": str(order_id)}
    if correlation_id is not None:
        given["correlationId"] = correlation_id
    try:
        aws.client("stepfunctions").start_execution(
            stateMachineArn=os.environ["PURCHASE_STATE_MACHINE_ARN"],
            name=str(order_id) if run == 1 else f"{order_id}-{run}",
            input=json.dumps(given),
        )
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return False
    log.info("purchase started", extra={"order_id": str(order_id), "run": run})
    return True
