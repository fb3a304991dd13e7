"""Jobs run by the clock, and nobody waits for them: what they would have done is left undone until they run again."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.alarms import Alarms
from cdk.handler import Handler

FIVE_MINUTES = Duration.minutes(5)


def watch(alarms: Alarms, scheduled: Sequence[Handler]) -> None:
    """One alarm for the jobs of a service: which of them it is, the page finds with one command."""
    by_service: dict[str, list[Handler]] = {}
    for job in scheduled:
        by_service.setdefault(job.source.service, []).append(job)
    for service, jobs in by_service.items():
        alarms.on(
            f"JobsOf{service.title()}",
            total([errors(job) for job in jobs], "errors"),
            f"A job of {service} fails: {', '.join(job.source.name for job in jobs)}.",
            page="job-fails",
        )
    for name, metric in (("DroppedTicks", "InvocationDroppedCount"), ("RefusedTicks", "TargetErrorCount")):
        alarms.on(
            name,
            cloudwatch.Metric(
                namespace="AWS/Scheduler",
                metric_name=metric,
                dimensions_map={"ScheduleGroup": "default"},
                statistic="Sum",
                period=FIVE_MINUTES,
            ),
            "The scheduler could not start a job.",
            page="ticks-lost",
            threshold=3,
        )


def errors(job: Handler) -> cloudwatch.Metric:
    """How often a job failed, whatever of: an exception, its time, its memory, an import."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name="Errors",
        dimensions_map={"FunctionName": job.name},
        statistic="Sum",
        period=FIVE_MINUTES,
    )


def total(metrics: Sequence[cloudwatch.IMetric], label: str) -> cloudwatch.MathExpression:
    """Their sum. An alarm takes ten metrics at most."""
    if len(metrics) > 10:
        raise ValueError(f"{len(metrics)} metrics are too many for one alarm: split it.")
    return cloudwatch.MathExpression(
        expression="SUM(METRICS())",
        using_metrics={f"m{n}": metric for n, metric in enumerate(metrics)},
        label=label,
        period=FIVE_MINUTES,
    )
