"""What wakes somebody up, and the page of the run book that says what to do then.

Every alarm is made here, so that none can do without its page; a test holds alarms and pages against each other.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.stages import Stage

METRICS = "BoxOffice"  # the namespace of shared.metrics
MISSING_IS_BAD = cloudwatch.TreatMissingData.BREACHING


def described(meaning: str, page: str) -> str:
    """An alarm's description: what whoever is woken reads first."""
    return f"{meaning} Run book: docs/run-book/{page}.md"


@dataclass(frozen=True)
class Alarms:
    """Makes alarms that tell `topic`.

    Attributes:
        scope: the stack that they belong to.
    """

    scope: Construct
    stage: Stage
    topic: sns.ITopic

    def on(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        meaning: str,
        *,
        page: str,
        threshold: float = 1,
        below: bool = False,
        periods: int = 1,
        of: int | None = None,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        tells: bool = True,
    ) -> cloudwatch.Alarm:
        """An alarm.

        Args:
            name: unique in the stage; the alarm's is `<prefix>-<name>`.
            page: the name of its page in docs/run-book.
            below: rings when the metric is below the threshold, and not when it reaches it.
            periods, of: so many bad periods of the last so many; of as many, if `of` is not given.
            tells: False for one that is but a part of another.
        """
        reached = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        alarm = cloudwatch.Alarm(
            self.scope,
            name,
            alarm_name=f"{self.stage.prefix}-{name}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=of or periods,
            datapoints_to_alarm=periods,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD if below else reached,
            treat_missing_data=missing,
            alarm_description=described(meaning, page),
        )
        if tells:
            alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def all_of(
        self, name: str, parts: list[cloudwatch.Alarm], meaning: str, *, page: str
    ) -> cloudwatch.CompositeAlarm:
        """An alarm that rings while all of these do."""
        alarm = cloudwatch.CompositeAlarm(
            self.scope,
            name,
            composite_alarm_name=f"{self.stage.prefix}-{name}",
            alarm_rule=cloudwatch.AlarmRule.all_of(*parts),
            alarm_description=described(meaning, page),
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm


def ours(stage: Stage, name: str, statistic: str, minutes: int = 1, **dimensions: str) -> cloudwatch.Metric:
    """A metric that our own code writes (shared.metrics), e.g. "AuditRuns" of `service="platform"`."""
    return cloudwatch.Metric(
        namespace=METRICS,
        metric_name=name,
        dimensions_map={**dimensions, "stage": stage.name},
        period=Duration.minutes(minutes),
        statistic=statistic,
    )
