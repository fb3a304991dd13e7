"""What wakes somebody up, and what they look at then.

Each way in has its own sign of failure, so no function needs an alarm of its own: routes show in the objective,
consumers as dead letters (their alarms lie beside their queues), tasks as failed purchases, jobs as failed jobs.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.alarms import Alarms
from cdk.handler import Handler
from cdk.operations import databases, jobs, money, notices, objective, platform, queues
from cdk.operations.databases import Server
from cdk.stages import Stage


class Operations(Stack):
    """The alarms that belong to no queue, and the notices that AWS sends of its own accord."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        alarms: sns.ITopic,
        rest: apigateway.RestApi,
        distribution: cloudfront.IDistribution,
        purchase: sfn.StateMachine,
        servers: Sequence[Server],
        services: Sequence[str],
        queue_names: Sequence[str],
        scheduled: Sequence[Handler],
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        make = Alarms(self, stage, alarms)
        objective.watch(make, objective.Requests(rest, distribution))
        objective.watch_latency(make, rest)
        money.watch(make, purchase, services)
        jobs.watch(make, scheduled)
        queues.watch(make, queue_names)
        databases.watch(make, servers)
        platform.watch(make, services)
        notices.tell(self, make, alarms)
