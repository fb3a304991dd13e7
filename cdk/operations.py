"""What wakes somebody up.

Each way in has its own sign of failure, so no function needs an alarm of its own: routes show as answers of the API,
consumers as dead letters (their alarms lie beside their queues), tasks as failed purchases; only jobs fail unseen.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.handler import Handler
from cdk.stages import Stage

MINUTE = Duration.minutes(1)
FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
GIGABYTE = 1_000_000_000
METRICS = "BoxOffice"  # the namespace of shared.metrics


class Operations(Stack):
    """The alarms that belong to no queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        alarms: sns.ITopic,
        rest: apigateway.RestApi,
        purchase: sfn.StateMachine,
        database: rds.DatabaseInstance,
        jobs: Sequence[Handler],
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._alarms = alarms
        self._alarm(
            "PurchaseFailed", purchase.metric_failed(period=MINUTE), "A purchase ended in the middle."
        )
        self._alarm(
            "PurchaseTimedOut", purchase.metric_timed_out(period=MINUTE), "A purchase outlived its limit."
        )
        errors = rest.metric_server_error(period=MINUTE, statistic="Sum")
        self._alarm("ServerErrors", errors, "The API answers with 5xx.", threshold=5)
        self._alarm(
            "DatabaseBusy", database.metric_cpu_utilization(period=FIVE_MINUTES), "CPU in %.", threshold=80
        )
        space = database.metric_free_storage_space(period=FIVE_MINUTES)
        self._alarm("DatabaseFull", space, "Bytes left on the disk.", threshold=2 * GIGABYTE, below=True)
        for job in jobs:
            self._alarm(
                job.source.construct_id + job.source.service.title(),
                job.function.metric_errors(period=FIVE_MINUTES),
                f"{job.name} fails. What it would have done is left undone until it runs again.",
            )

        self._audit(stage)

    def _audit(self, stage: Stage) -> None:
        """The auditor finds something, or has not looked for two hours: no word of it is no good word."""
        findings, runs = (
            cloudwatch.Metric(
                namespace=METRICS,
                metric_name=name,
                dimensions_map={"service": "platform", "stage": stage.name},
                period=HOUR,
                statistic=statistic,
            )
            for name, statistic in (("AuditFindings", "Maximum"), ("AuditRuns", "Sum"))
        )
        self._alarm(
            "AuditFindings", findings, "Money, tickets or stock are wrong: docs/operations.md, Auditing."
        )
        self._alarm(
            "AuditMissing",
            runs,
            "The auditor has not run: nobody would know if money or stock were wrong.",
            below=True,
            periods=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarm(
        self,
        id: str,
        metric: cloudwatch.IMetric,
        meaning: str,
        *,
        threshold: float = 1,
        below: bool = False,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        beyond = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        alarm = cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD if below else beyond,
            treat_missing_data=missing,
            alarm_description=meaning,
        )
        alarm.add_alarm_action(actions.SnsAction(self._alarms))
