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
from cdk.operations import (
    canary,
    dashboards,
    databases,
    jobs,
    money,
    notices,
    objective,
    platform,
    queues,
    traces,
)
from cdk.operations.dashboards import Shown
from cdk.operations.databases import Server
from cdk.stages import Stage


class Operations(Stack):
    """The alarms that belong to no queue, AWS's own notices, dashboards, and what is traced."""

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
        make, requests = Alarms(self, stage, alarms), objective.Requests(rest, distribution)
        objective.watch(make, requests)
        objective.watch_latency(make, rest)
        money.watch(make, purchase, services)
        jobs.watch(make, scheduled)
        queues.watch(make, queue_names)
        databases.watch(make, servers)
        platform.watch(make, services)
        canary.watch(make)
        notices.tell(self, make, alarms)
        shown = Shown(stage, make, requests, rest, purchase, servers, services, queue_names)
        dashboards.make(self, shown)
        traces.sample(self, stage)
        traces.let_topics_trace(self, stage)
