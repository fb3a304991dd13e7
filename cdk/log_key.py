"""The key that every log group is encrypted with."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.stages import Stage

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_ACTIONS = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]


def log_key(scope: Construct, stage: Stage) -> kms.Key:
    """One key for the logs of a stage: CloudWatch Logs alone may use it, and for log groups of this account alone.

    It costs a dollar a month; CloudWatch Logs keeps the data keys that it asks for, so that its calls cost next to
    nothing.
    """
    key = kms.Key(
        scope,
        "LogKey",
        alias=f"alias/{stage.prefix}-logs",
        enable_key_rotation=True,
        pending_window=stage.key_window,
        removal_policy=stage.removal,
    )
    stack = Stack.of(scope)
    groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=_ACTIONS,
            resources=["*"],  # in a key's policy: this key
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )
    return key
