"""The objective: 99.9 % of requests get an answer that is no 5xx, and the alarms on how fast the rest is used up.

An alarm rings where a long window and a short one both burn the month's budget too fast: the long one says that it
matters, the short one that it still goes on. https://sre.google/workbook/alerting-on-slos/
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.alarms import Alarms

OBJECTIVE = 0.999
BUDGET = 1 - OBJECTIVE
PAGE = "error-budget"

WINDOWS = (
    # name, how many times too fast, the long window, the short one, what is used up when it rings
    ("ErrorBudgetFast", 14.4, Duration.hours(1), Duration.minutes(5), "2 % of the month's budget in an hour"),
    (
        "ErrorBudgetSlow",
        6.0,
        Duration.hours(6),
        Duration.minutes(30),
        "5 % of the month's budget in six hours",
    ),
    ("ErrorBudgetLeak", 3.0, Duration.days(1), Duration.hours(2), "10 % of the month's budget in a day"),
)

LEAST_ERRORS = 5
"""Fewer in a window wake nobody: at night a single one of three requests would be a burnt budget."""

# No datum is none: without FILL an API that nobody reaches would leave the whole expression without a value.
ERRORS = "MAX([FILL(api_5xx, 0), FILL(cdn_rate, 0) * FILL(cdn, 0) / 100])"
REQUESTS = "MAX([FILL(api, 0), FILL(cdn, 0)])"

CRITICAL = {"Reserve": "/api/tickets/reserve", "Purchase": "/api/tickets/purchase"}
"""Routes whose p95 is promised (the design document's two seconds)."""
PROMISED_MILLISECONDS = 2000


@dataclass(frozen=True)
class Requests:
    """What users asked for and what became of it, as seen by the API and by CloudFront before it."""

    rest: apigateway.RestApi
    distribution: cloudfront.IDistribution

    def errors(self, window: Duration) -> cloudwatch.MathExpression:
        """How many of them got a 5xx. CloudFront sees what the API does not (an API that cannot be reached), and the
        API what CloudFront has not counted yet: whichever is more, so that none counts twice.
        """
        return cloudwatch.MathExpression(
            expression=ERRORS, using_metrics=self._metrics(window), label="errors", period=window
        )

    def ratio(self, window: Duration) -> cloudwatch.MathExpression:
        """Errors over requests; 0 where there are too few errors to tell anything."""
        return cloudwatch.MathExpression(
            expression=f"IF({ERRORS} >= {LEAST_ERRORS}, {ERRORS} / {REQUESTS}, 0)",
            using_metrics=self._metrics(window),
            label="errors / requests",
            period=window,
        )

    def budget_left(self) -> cloudwatch.MathExpression:
        """How much of the budget the shown time has left, in %."""
        day = Duration.days(1)
        return cloudwatch.MathExpression(
            expression=f"100 * (1 - RUNNING_SUM({ERRORS}) / ({BUDGET:.4f} * RUNNING_SUM({REQUESTS})))",
            using_metrics=self._metrics(day),
            label="error budget left, %",
            period=day,
        )

    def _metrics(self, window: Duration) -> dict[str, cloudwatch.IMetric]:
        return {
            "api": self.rest.metric_count(period=window, statistic="Sum"),
            "api_5xx": self.rest.metric_server_error(period=window, statistic="Sum"),
            "cdn": self._edge("Requests", "Sum", window),
            "cdn_rate": self._edge("5xxErrorRate", "Average", window),
        }

    def _edge(self, name: str, statistic: str, window: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/CloudFront",
            metric_name=name,
            dimensions_map={"DistributionId": self.distribution.distribution_id, "Region": "Global"},
            statistic=statistic,
            period=window,
        )


def watch(alarms: Alarms, requests: Requests) -> None:
    """Ring when the budget burns too fast."""
    for name, times, long, short, meaning in WINDOWS:
        parts = [
            alarms.on(
                f"{name}{which}",
                requests.ratio(window),
                f"The {which.lower()} window of {name}: it rings nobody by itself.",
                page=PAGE,
                threshold=times * BUDGET,
                tells=False,
            )
            for which, window in (("Long", long), ("Short", short))
        ]
        alarms.all_of(name, parts, f"Errors burn {meaning}.", page=PAGE)


def watch_latency(alarms: Alarms, rest: apigateway.RestApi) -> None:
    """Ring when a critical route is slow for three of five minutes."""
    for name, path in CRITICAL.items():
        alarms.on(
            f"Slow{name}",
            route_latency(rest, path),
            f"p95 of POST {path} is over the promised {PROMISED_MILLISECONDS} ms.",
            page="slow-route",
            threshold=PROMISED_MILLISECONDS,
            periods=3,
            of=5,
        )


def route_latency(rest: apigateway.RestApi, path: str, statistic: str = "p95") -> cloudwatch.Metric:
    """How long the API takes over a route, authorizer included, in ms (the stage's detailed metrics)."""
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name="Latency",
        dimensions_map={
            "ApiName": rest.rest_api_name,
            "Stage": rest.deployment_stage.stage_name,
            "Method": "POST",
            "Resource": path,
        },
        statistic=statistic,
        period=Duration.minutes(1),
    )
