"""Metrics that CloudWatch makes of log lines (the embedded metric format): nothing is called, nothing is waited for.

Written by hand: a line of Powertools' `single_metric` takes 0.1 ms of CPU, ten times as much, and a purchase writes
several.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import os
import sys
import time

NAMESPACE = "BoxOffice"


def count(service: str, name: str, value: int = 1, **dimensions: str) -> None:
    """Count something that happened, e.g. `count("events", "SearchFellBack")`.

    Args:
        dimensions: few and of few values, for each combination is a metric that is paid for; never a person or an id.
    """
    _write(service, name, value, "Count", dimensions)


def gauge(service: str, name: str, value: float, unit: str = "Seconds", **dimensions: str) -> None:
    """Say how much there is of something now, e.g. how old the oldest message is that nobody has taken."""
    _write(service, name, value, unit, dimensions)


def _write(service: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """One line. The stage is a dimension of all: two of them fit into one account."""
    dimensions = {"service": service, "stage": os.environ.get("STAGE", "none"), **dimensions}
    told = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]},
        **dimensions,
        name: [round(value, 3)],  # the digits of a float could pass for a card's number
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
