"""What a function's process is allowed before its code runs, or is refused when it signs in.

The laptop's PostgreSQL and Valkey take anybody, so who may not sign in is given what cannot be signed in with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.attributes import Resource
from local.intrinsics import Intrinsics
from local.permissions.gate import Denied, Gate
from local.permissions.grants import access_key, function_caller, role_caller, secret_key
from local.resources import ACCOUNT, REGION

if TYPE_CHECKING:
    from local.resources import Function

_PLACE = f"{REGION}:{ACCOUNT}"
CLOSED_PORT = "1"
"""Nobody listens on it."""


def read_sign_ins(intrinsics: Intrinsics, function: Resource) -> dict[str, Any]:
    """What a function's environment and network say it will sign in to, as arguments of `Function`."""
    raw = function.properties.get("Environment", {}).get("Variables", {})
    variables = {
        name: intrinsics.value(function.stack, raw[name])
        for name in ("DATABASE_USER", "CACHE_USER")
        if name in raw
    }
    found = [source for value in raw.values() if (source := intrinsics.source(function.stack, value))]
    proxies = {_proxy(intrinsics, resource) for resource in found} - {None}
    caches = [
        intrinsics.attributes.arn(r) for r in found if r.type.startswith("AWS::ElastiCache::Serverless")
    ]
    signs_in = "DATABASE_USER" in variables
    users = [f"arn:aws:elasticache:{_PLACE}:user:{variables['CACHE_USER']}"] if caches else []
    return {
        "databases": sorted(
            f"arn:aws:rds-db:{_PLACE}:dbuser:{proxy}/{variables['DATABASE_USER']}"
            for proxy in proxies
            if signs_in
        ),
        "cache": [*sorted(set(caches)), *users],
        "in_network": "VpcConfig" in function.properties,
    }


def _proxy(intrinsics: Intrinsics, resource: Resource) -> str | None:
    """The name of the RDS Proxy whose endpoint it is."""
    if resource.type == "AWS::RDS::DBProxyEndpoint":
        return str(intrinsics.value(resource.stack, resource.properties["DBProxyName"]))
    return intrinsics.attributes.name(resource) if resource.type == "AWS::RDS::DBProxy" else None


def credentials(function: Function, token: str) -> Mapping[str, str]:
    """The credentials of the function's role. The token is what the extension knows it by."""
    key = access_key(function_caller(function.name, function.role))
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret_key(key),
        "AWS_SESSION_TOKEN": f"{token}.{key}",
    }


def sign_in(gate: Gate, function: Function) -> Mapping[str, str]:
    """The variables that take the place of those with which the function may not sign in.

    Raises Denied if Lambda would not let it start: it attaches the function to the network by the function's rights.
    """
    itself, code = role_caller(function.role), function_caller(function.name, function.role)
    if function.in_network:
        gate.check(itself, "ec2:CreateNetworkInterface", f"arn:aws:ec2:{_PLACE}:network-interface/*")
    # Without this one it runs, and nobody can read its log: the record of denials says so.
    _may(gate, itself, "logs:PutLogEvents", _log_stream(function))
    instead = {}
    refused = [arn for arn in function.databases if not _may(gate, code, "rds-db:connect", arn)]
    if refused:
        instead["DATABASE_USER"] = f"{function.environment['DATABASE_USER']} without rds-db:connect"
    refused = [arn for arn in function.cache if not _may(gate, code, "elasticache:Connect", arn)]
    if refused:
        instead["CACHE_PORT"] = CLOSED_PORT
    return instead


def _log_stream(function: Function) -> str:
    return f"arn:aws:logs:{_PLACE}:log-group:/aws/lambda/{function.name}:log-stream:local"


def _may(gate: Gate, *asked: Any) -> bool:
    try:
        gate.check(*asked)
    except Denied:
        return False
    return True
