"""What a foreign AWS emulator cannot deploy of our templates, each with the reason, and what stands in for it."""

from collections.abc import Collection
from typing import Any

from local import ports

_PROXY = "the emulator has no RDS Proxy; functions reach a PostgreSQL server of the tests directly"
_CACHE = "the emulator has no serverless cache; functions reach a Valkey server of the tests"
_FIREWALL = (
    "the emulator keeps firewalls' rules and applies none: what ties them together has no effect there"
)

LEFT_ASIDE: dict[str, str] = {
    "AWS::EC2::EIP": "networking: the emulator has no NAT, and functions run on this machine",
    "AWS::EC2::NatGateway": "networking: the emulator has no NAT, and functions run on this machine",
    "AWS::EC2::SecurityGroupIngress": "networking: nothing is closed on the loopback address",
    "AWS::ElastiCache::ServerlessCache": _CACHE,
    "AWS::RDS::DBInstance": "the emulator's knows no password made by RDS; a server of the tests stands in",
    "AWS::RDS::DBProxy": _PROXY,
    "AWS::RDS::DBProxyEndpoint": _PROXY,
    "AWS::RDS::DBProxyTargetGroup": _PROXY,
    "AWS::WAFv2::IPSet": _FIREWALL,
    "AWS::WAFv2::LoggingConfiguration": _FIREWALL,
    "AWS::WAFv2::WebACLAssociation": _FIREWALL,
    "Custom::*": "the CDK's own, in JavaScript on an SDK that is not here; the test runs the triggers",
}

MATH = "AWS::CloudWatch::Alarm over metric math"
LEFT_ASIDE[MATH] = "the emulator refuses alarms over more than one metric"
UNKNOWN = "the emulator knows no such type, says so itself, and nothing else in the templates needs it there"

# What other resources ask of those that are left aside: where to connect. Anything else is a name or an ARN.
_HOSTS = {"Endpoint", "Endpoint.Address"}


def set_aside(template: dict[str, Any], types: Collection[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The template without resources of these types, and what those were: types by logical id."""
    kinds = {id: _kind(body) for id, body in template["Resources"].items()}
    aside = {id: kind for id, kind in kinds.items() if kind in types}
    kept = {id: body for id, body in template["Resources"].items() if id not in aside}
    return _without(template | {"Resources": kept}, aside), aside


def _kind(body: dict[str, Any]) -> str:
    is_math = body["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in body["Properties"]
    return "Custom::*" if body["Type"].startswith("Custom::") else MATH if is_math else str(body["Type"])


def _without(value: Any, aside: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_without(inner, aside) for inner in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": id} if id in aside:
            return f"aside-{id}"
        case {"Fn::GetAtt": [id, attribute]} if id in aside:
            return ports.HOST if attribute in _HOSTS else f"arn:aws:aside:us-east-1:000000000000:aside:{id}"
    return {
        key: [id for id in _listed(inner) if id not in aside]
        if key == "DependsOn"
        else _without(inner, aside)
        for key, inner in value.items()
    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
