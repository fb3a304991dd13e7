"""The deployed API's surface as text: who may call what, what answers, and how often. Written by `make snapshot`."""

from pathlib import Path
from typing import Any

from tests.infrastructure.synthesis import synthesized
from tests.infrastructure.template import ROOT, Resource, System

SNAPSHOT: Path = ROOT / "docs" / "api-surface.txt"
_COLUMNS = "{:<42} {:<7} {:<10} {:<11} {}".format


def surface(system: System) -> str:
    """A line for every route, by path, below the throttles of the stage."""
    (stage,) = system.of_type("AWS::ApiGateway::Stage")
    methods = [
        m for m in system.of_type("AWS::ApiGateway::Method") if m.properties["HttpMethod"] != "OPTIONS"
    ]
    routes = sorted(_route(system, method) for method in methods)
    throttles = [_throttle(setting) for setting in stage.properties["MethodSettings"]]
    return "\n".join(["Throttles of the dev stage:", *throttles, "", _HEAD, *routes]) + "\n"


_HEAD = _COLUMNS("Path", "Method", "Caller", "Authorizer", "Function")


def _route(system: System, method: Resource) -> str:
    properties = method.properties
    path = system.path(method)
    authorizer = properties.get("AuthorizationType", "NONE").lower()
    return _COLUMNS(
        path, properties["HttpMethod"], method.metadata["caller"], authorizer, _function(system, method)
    )


def _function(system: System, method: Resource) -> str:
    """The name of the function behind a method, or of the alias's function."""
    said = str(method.properties["Integration"].get("Uri", ""))
    named = [f for f in system.functions.values() if _is_called(system, f, said)]
    return ", ".join(f.properties["FunctionName"] for f in named) or "-"


def _is_called(system: System, function: Resource, uri: str) -> bool:
    own = f"{function.id}Arn" in uri or f"'{function.id}'" in uri
    aliases = [a for a in system.of_type("AWS::Lambda::Alias") if a.stack == function.stack]
    theirs = [a for a in aliases if a.properties["FunctionName"] == {"Ref": function.id}]
    name = str(function.properties["FunctionName"])
    stack = next(s.name for s in system.in_order if s.template is system.templates[function.stack])
    return (stack in uri and (own or any(alias.id in uri for alias in theirs))) or f":{name}:" in uri


def _throttle(setting: dict[str, Any]) -> str:
    rate, burst = setting.get("ThrottlingRateLimit", "-"), setting.get("ThrottlingBurstLimit", "-")
    return f"  {setting['HttpMethod']} {setting['ResourcePath']}: {rate} requests a second, {burst} at once"


if __name__ == "__main__":
    SNAPSHOT.write_text(surface(synthesized("dev")))
