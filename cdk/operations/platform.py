"""What everything runs on: Lambda's room, the cache, the flags, the standbys, the firewall."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.alarms import Alarms, ours
from cdk.operations.jobs import total
from cdk.stages import Stage

MINUTE, FIVE_MINUTES = Duration.minutes(1), Duration.minutes(5)


def watch(alarms: Alarms, services: Sequence[str]) -> None:
    """The alarms of the ground that functions stand on."""
    _functions(alarms)
    _cache(alarms, services)
    _flags(alarms, services)
    if alarms.stage.databases.standbys:
        _standbys(alarms, services)
    alarms.on(
        "FirewallBlocks",
        firewall_blocks(alarms.stage),
        "The firewall turns away far more than usual: an attack, or a rule that honest people meet.",
        page="firewall-blocks",
        threshold=1000,
        periods=2,
    )


def _functions(alarms: Alarms) -> None:
    """Of the whole account and region: its functions share one pool."""
    alarms.on(
        "FunctionsThrottled",
        of_lambda("Throttles", "Sum"),
        "Lambda turns calls away: the account's functions have used up their share.",
        page="functions-throttled",
        threshold=10,
        periods=2,
    )
    alarms.on(
        "FunctionsFull",
        of_lambda("ClaimedAccountConcurrency", "Maximum"),
        "Eight in ten of the thousand functions that may run at once do.",
        page="functions-throttled",
        threshold=800,
        periods=3,
    )


def _cache(alarms: Alarms, services: Sequence[str]) -> None:
    alarms.on(
        "CacheAway",
        _counted(alarms, "CacheUnavailable", services),
        "Redis does not answer: everything works, more slowly.",
        page="cache-away",
        threshold=20,
    )
    alarms.on(
        "CacheFull",
        total([of_cache(alarms.stage.prefix, name) for name in ("ThrottledCmds", "Evictions")], "refused"),
        "Redis turns commands away, or drops what it has no room for.",
        page="cache-full",
        threshold=100,
    )


def _flags(alarms: Alarms, services: Sequence[str]) -> None:
    alarms.on(
        "FlagsAway",
        _counted(alarms, "FlagsUnavailable", services),
        "AppConfig does not answer, or has flags that are none: functions go by those they read last.",
        page="flags-away",
        threshold=20,
        periods=3,
    )


def _standbys(alarms: Alarms, services: Sequence[str]) -> None:
    alarms.on(
        "StandbysAway",
        _counted(alarms, "StandbyUnavailable", services),
        "A standby does not answer: its writer has the reads as well.",
        page="standbys-away",
        threshold=5,
        periods=3,
    )


def _counted(alarms: Alarms, name: str, services: Sequence[str]) -> cloudwatch.IMetric:
    """How often functions of these services found something away, in five minutes."""
    return total([ours(alarms.stage, name, "Sum", 5, service=service) for service in services], "away")


def of_lambda(name: str, statistic: str) -> cloudwatch.Metric:
    """A metric of all functions of the account in this region."""
    return cloudwatch.Metric(namespace="AWS/Lambda", metric_name=name, statistic=statistic, period=MINUTE)


def of_cache(name: str, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of the serverless cache of that name."""
    return cloudwatch.Metric(
        namespace="AWS/ElastiCache",
        metric_name=metric,
        dimensions_map={"clusterId": name},
        statistic=statistic,
        period=FIVE_MINUTES,
    )


def firewall_blocks(stage: Stage) -> cloudwatch.Metric:
    """What the stage's firewall before CloudFront turned away, by the name of its own metric (`cdk.edge`)."""
    return cloudwatch.Metric(
        namespace="AWS/WAFV2",
        metric_name="BlockedRequests",
        dimensions_map={"WebACL": f"{stage.prefix}-firewall", "Rule": "ALL"},
        statistic="Sum",
        period=FIVE_MINUTES,
    )
