"""The executions of the purchase's state machine: one per order, named after it, so starting twice is one run."""

import json
import os
from uuid import UUID

from shared import aws


def start(order_id: UUID) -> None:
    """Start the order's saga, unless it has been started."""
    from botocore.exceptions import ClientError

    try:
        aws.client("stepfunctions").start_execution(
            stateMachineArn=os.environ["PURCHASE_STATE_MACHINE_ARN"],
            name=str(order_id),
            input=json.dumps({"orderId": str(order_id)}),
        )
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
