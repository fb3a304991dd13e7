"""Messages that wait too long: no consumer takes them, or too slowly. (Those that failed are dead letters.)"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.alarms import Alarms

PERIOD = Duration.minutes(5)
AT_MOST = 10  # metrics of one alarm


def watch(alarms: Alarms, names: Sequence[str]) -> None:
    """An alarm for every ten queues: a failing message leaves for the dead letters within a minute, so that one of ten
    minutes was never taken, or stands behind very many.
    """
    ordered = sorted(names)
    groups = [ordered[start : start + AT_MOST] for start in range(0, len(ordered), AT_MOST)]
    for number, group in enumerate(groups, start=1):
        ages = {f"m{n}": age(alarms, name) for n, name in enumerate(group)}
        alarms.on(
            f"MessagesWait{number}",
            cloudwatch.MathExpression(expression="MAX(METRICS())", using_metrics=ages, period=PERIOD),
            f"A message has waited for ten minutes in one of {', '.join(group)}.",
            page="messages-wait",
            threshold=600,
        )


def age(alarms: Alarms, name: str) -> cloudwatch.Metric:
    """How old the oldest message of a queue is, in seconds."""
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name="ApproximateAgeOfOldestMessage",
        dimensions_map={"QueueName": f"{alarms.stage.prefix}-{name}"},
        statistic="Maximum",
        period=PERIOD,
    )
