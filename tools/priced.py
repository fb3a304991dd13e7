"""What each type of resource costs in a month in which nobody comes, by the properties that it has in the template."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools import prices

Properties = dict[str, Any]

# Assumed, since no template says it.
CONFIG_ITEMS_IN_A_MONTH, CONFIG_EVALUATIONS_IN_A_MONTH = 1_500, 5_000
METRICS_OF_A_METHOD = 5


class Unpriced(Exception):
    """A type of resource without a price, or a class of machine."""


class Templates:
    """Every resource of a stage."""

    def __init__(self, folder: Path) -> None:
        found = sorted(folder.glob("*.template.json"))
        if not found:
            raise SystemExit(f"There are no templates in {folder}: run `make synth` first.")
        self._stacks = [json.loads(file.read_text())["Resources"] for file in found]

    def all(self) -> Iterator[tuple[str, Properties]]:
        """Type and properties of each."""
        for resources in self._stacks:
            for resource in resources.values():
                yield resource["Type"], resource.get("Properties", {})

    def memory_of(self, alias: Properties) -> int:
        """The megabytes of the function that an alias leads to, which lies in the same stack."""
        (stack,) = (
            resources
            for resources in self._stacks
            if any(resource.get("Properties") is alias for resource in resources.values())
        )
        return int(stack[alias["FunctionName"]["Ref"]]["Properties"].get("MemorySize", 128))

    def of(self, kind: str) -> list[Properties]:
        """The properties of each resource of a type."""
        return [properties for type, properties in self.all() if type == kind]


def _machine(instance: Properties, _: Templates) -> float:
    table = prices.AURORA_HOUR if "DBClusterIdentifier" in instance else prices.INSTANCE_HOUR
    size = instance["DBInstanceClass"]
    if size not in table:
        raise Unpriced(f"tools/prices.py knows no price of {size}")
    copies = 2 if instance.get("MultiAZ") else 1
    return copies * (
        table[size] * prices.HOURS + int(instance.get("AllocatedStorage", 0)) * prices.RDS_GIGABYTE
    )


def _proxy(_: Properties, templates: Templates) -> float:
    """By the processors of the machines behind it; clusters have as many machines each."""
    machines = len(templates.of("AWS::RDS::DBInstance")) / len(templates.of("AWS::RDS::DBProxy"))
    return machines * prices.VCPUS * prices.PROXY_VCPU_HOUR * prices.HOURS


def _alarm(alarm: Properties, _: Templates) -> float:
    return prices.ALARM_METRIC * max(1, sum("MetricStat" in each for each in alarm.get("Metrics", ())))


def _provisioned(alias: Properties, templates: Templates) -> float:
    """Processes that are kept started; without them an alias costs nothing."""
    processes = alias.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
    gigabyte_seconds = processes * templates.memory_of(alias) / 1024 * prices.HOURS * 3600
    return float(gigabyte_seconds * prices.PROVISIONED_GIGABYTE_SECOND)


def _detailed_metrics(stage: Properties, _: Templates) -> float:
    methods = sum(bool(each.get("MetricsEnabled")) for each in stage.get("MethodSettings", ()))
    return methods * METRICS_OF_A_METHOD * prices.METRIC


def _dashboard(_: Properties, templates: Templates) -> float:
    every = len(templates.of("AWS::CloudWatch::Dashboard"))
    return prices.DASHBOARD * max(0, every - prices.FREE_DASHBOARDS) / every


def _each(dollars: float) -> Callable[[Properties, Templates], float]:
    return lambda _properties, _templates: dollars


PRICED: dict[str, tuple[Callable[[Properties, Templates], float], str]] = {
    "AWS::ApiGateway::Stage": (_detailed_metrics, prices.CLOUDWATCH),
    "AWS::CloudWatch::Alarm": (_alarm, prices.CLOUDWATCH),
    "AWS::CloudWatch::CompositeAlarm": (_each(prices.COMPOSITE_ALARM), prices.CLOUDWATCH),
    "AWS::CloudWatch::Dashboard": (_dashboard, prices.CLOUDWATCH),
    "AWS::Config::ConfigRule": (_each(0), prices.CONFIG),
    "AWS::Config::ConfigurationRecorder": (
        _each(
            CONFIG_ITEMS_IN_A_MONTH * prices.CONFIG_ITEM_DAILY
            + CONFIG_EVALUATIONS_IN_A_MONTH * prices.CONFIG_EVALUATION
        ),
        prices.CONFIG,
    ),
    "AWS::EC2::EIP": (_each(prices.ADDRESS_HOUR * prices.HOURS), prices.NAT),
    "AWS::EC2::NatGateway": (_each(prices.NAT_HOUR * prices.HOURS), prices.NAT),
    "AWS::EC2::VPCEndpoint": (
        lambda endpoint, _: (
            0
            if endpoint.get("VpcEndpointType", "Gateway") == "Gateway"
            else len(endpoint["SubnetIds"]) * prices.ENDPOINT_ZONE_HOUR * prices.HOURS
        ),
        prices.NAT,
    ),
    "AWS::ElastiCache::ServerlessCache": (
        _each(prices.CACHE_GIGABYTE_HOUR * prices.CACHE_LEAST_GIGABYTES * prices.HOURS),
        prices.CACHE,
    ),
    "AWS::KMS::Key": (_each(prices.KEY), prices.KMS),
    "AWS::Lambda::Alias": (_provisioned, prices.LAMBDA),
    "AWS::Lambda::EventSourceMapping": (_each(0), prices.SQS),
    "AWS::RDS::DBCluster": (_each(prices.AURORA_GIGABYTE), prices.AURORA),
    "AWS::RDS::DBInstance": (_machine, prices.RDS),
    "AWS::RDS::DBProxy": (_proxy, prices.PROXY),
    "AWS::RDS::DBProxyEndpoint": (
        lambda endpoint, _: len(endpoint["VpcSubnetIds"]) * prices.ENDPOINT_ZONE_HOUR * prices.HOURS,
        prices.PROXY,
    ),
    "AWS::Scheduler::Schedule": (_each(0), prices.SCHEDULER),
    "AWS::SecretsManager::Secret": (_each(prices.SECRET), prices.SECRETS),
    "AWS::WAFv2::WebACL": (
        lambda acl, _: prices.WEB_ACL + prices.rules_of(acl) * prices.WAF_RULE,
        prices.WAF,
    ),
}
"""What a resource costs in a month, and the page where its price stands."""
