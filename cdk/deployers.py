"""The functions by which the CDK does what CloudFormation cannot (run a trigger, close a VPC's default group)."""

from typing import TypeGuard

import aws_cdk as cdk
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from cdk.stages import Stage


def declare_logs(stack: Stack, stage: Stage, key: kms.IKey) -> None:
    """Give each such function of the stack a log group with our key: Lambda would make one that is kept for ever.

    CloudFormation names it, after the stack. These functions may make log groups, and are called last of all when their
    stack is taken away: a name of ours might be taken when the stack is made the next time.
    """
    for found in stack.node.find_all():
        if not _is_deployer(found) or found.node.scope is None:
            continue
        purpose = found.node.scope.node.id.removesuffix("CustomResourceProvider").replace("::", "-")
        group = logs.LogGroup(
            stack,
            f"LogsOf{purpose}",
            encryption_key=key,
            retention=stage.logs,
            removal_policy=RemovalPolicy.DESTROY,
        )
        found.add_property_override("LoggingConfig", {"LogGroup": group.log_group_name})


def _is_deployer(found: IConstruct) -> TypeGuard[cdk.CfnResource]:
    """Ours are made of constructs; the CDK's own are bare resources of that type."""
    return (
        isinstance(found, cdk.CfnResource)
        and not isinstance(found, lambda_.CfnFunction)
        and found.cfn_resource_type == lambda_.CfnFunction.CFN_RESOURCE_TYPE_NAME
    )
