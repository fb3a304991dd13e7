"""The executions of the purchase's state machine: named after their order, so that starting one twice is one run."""

import json
import os
from uuid import UUID

from shared import aws


def start(order_id: UUID, run: int = 1) -> bool:
    """Start the order's saga, unless it runs; False if this run of it is over, however it ended.

    A standard workflow's name and input start it once; when it is over, the name is taken for 90 days:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    Args:
        run: from 1; each has a name of its own.
    """
    from botocore.exceptions import ClientError

    try:
        aws.client("stepfunctions").start_execution(
            stateMachineArn=os.environ["PURCHASE_STATE_MACHINE_ARN"],
            name=str(order_id) if run == 1 else f"{order_id}-{run}",
            input=json.dumps({"orderId": str(order_id)}),
        )
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return False
    return True
