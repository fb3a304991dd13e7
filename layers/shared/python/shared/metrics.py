"""Metrics that CloudWatch makes of log lines (the embedded metric format): nothing is called, nothing is waited for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "BoxOffice"


def count(service: str, name: str, value: int = 1, **dimensions: str) -> None:
    """Count something that happened, e.g. `count("events", "SearchFellBack")`.

    Args:
        dimensions: few and of few values, for each combination is a metric that is paid for; never a person or an id.
    """
    with single_metric(
        name=name,
        unit=MetricUnit.Count,
        value=value,
        namespace=NAMESPACE,
        default_dimensions={"service": service, **dimensions},
    ):
        pass
