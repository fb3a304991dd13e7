"""The synthesized templates as a list of resources that tests ask questions of."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Resource:
    """One resource of one stack."""

    stack: str
    id: str
    type: str
    properties: dict[str, Any]
    metadata: dict[str, Any]

    @property
    def zip(self) -> str:
        """The name of the folder in the cloud assembly that is uploaded as the function's or layer's code."""
        return str(self.metadata["aws:asset:path"])


@dataclass(frozen=True)
class Stack:
    """A stack as it is deployed: its name, and its template as it was written."""

    name: str
    template: dict[str, Any]


class System:
    """Every template of a cloud assembly, and what was said while it was made."""

    def __init__(self, folder: Path, said: str) -> None:
        self.folder, self.said = folder, said
        self.templates: dict[str, dict[str, Any]] = {
            file.name.removesuffix(".template.json"): json.loads(file.read_text())
            for file in sorted(folder.glob("*.template.json"))
        }

    @cached_property
    def resources(self) -> list[Resource]:
        """Every resource of every stack."""
        return [
            Resource(stack, id, body["Type"], body.get("Properties", {}), body.get("Metadata", {}))
            for stack, template in self.templates.items()
            for id, body in template["Resources"].items()
        ]

    def of_type(self, type: str) -> list[Resource]:
        """Every resource of a type, e.g. `AWS::SQS::Queue`."""
        return [resource for resource in self.resources if resource.type == type]

    @cached_property
    def in_order(self) -> list[Stack]:
        """The stacks, each after those that it depends on."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        after = {name: artifact.get("dependencies", []) for name, artifact in artifacts.items()}
        return [
            Stack(artifacts[name]["properties"]["stackName"], self.templates[name])
            for name in TopologicalSorter(after).static_order()
            if artifacts[name]["type"] == "aws:cloudformation:stack"
        ]

    @cached_property
    def functions(self) -> dict[str, Resource]:
        """Our functions by handler; not the ones that the CDK adds to run triggers."""
        ours = [
            function
            for function in self.of_type("AWS::Lambda::Function")
            if "FunctionName" in function.properties
        ]
        return {function.properties["Handler"]: function for function in ours}

    def routes(self) -> set[tuple[str, str]]:
        """Method and path of everything that callers can ask for; preflights aside."""
        return {
            (method.properties["HttpMethod"], self._path(method.stack, method.properties["ResourceId"]))
            for method in self.of_type("AWS::ApiGateway::Method")
            if method.properties["HttpMethod"] != "OPTIONS"
        }

    def path(self, method: Resource) -> str:
        """The path of an API's method."""
        return self._path(method.stack, method.properties["ResourceId"])

    def _path(self, stack: str, place: Any) -> str:
        if "Ref" not in place:  # the root
            return ""
        resource = self.target(stack, place).properties
        return f"{self._path(stack, resource['ParentId'])}/{resource['PathPart']}"

    def environment(self, function: Resource) -> dict[str, Any]:
        """A function's variables."""
        variables: dict[str, Any] = function.properties["Environment"]["Variables"]
        return variables

    def statements(self, function: Resource) -> list[dict[str, Any]]:
        """What a function's role is allowed or denied."""
        role = function.properties["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy")
            if policy.stack == function.stack and {"Ref": role} in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def target(self, stack: str, value: Any) -> Resource:
        """The resource that a `Ref`, an `Fn::GetAtt` or (in another stack) an `Fn::ImportValue` points to, or whose
        name an ARN holds.
        """
        if "Fn::Join" in value:
            (named,) = self.named(value)
            return named
        if "Fn::ImportValue" in value:
            stack, value = self._exports[value["Fn::ImportValue"]]
        id = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
        return next(resource for resource in self.resources if (resource.stack, resource.id) == (stack, id))

    def named(self, value: Any) -> list[Resource]:
        """The aliases, queues and topics whose ARNs or URLs a value builds from their names."""
        text = text_of(value)
        found = [self._aliases[name] for name in re.findall(r":function:([\w-]+):live\b", text)]
        for kind, host in (("QueueName", "sqs"), ("TopicName", "sns")):
            name = re.search(rf"\b{host}[:.][^,]*[:/]([\w-]+)$", text)
            if name:
                found += [r for r in self.resources if r.properties.get(kind) == name[1]]
        return found

    @cached_property
    def _aliases(self) -> dict[str, Resource]:
        """Every alias by its function's name."""
        return {self.behind(a).properties["FunctionName"]: a for a in self.of_type("AWS::Lambda::Alias")}

    def behind(self, alias: Resource) -> Resource:
        """The function that an alias belongs to."""
        assert alias.type == "AWS::Lambda::Alias", alias
        return self.target(alias.stack, alias.properties["FunctionName"])

    def called(self, stack: str, reference: Any) -> Resource:
        """The function whose alias a caller's reference (an ARN or a name, joined or not) leads to."""
        ways = ("Ref", "Fn::ImportValue")
        found = self.named(reference) or [
            self.target(stack, {key: inner}) for key, inner in walk(reference) if key in ways
        ]
        (alias,) = {alias.id: alias for alias in found}.values()
        return self.behind(alias)

    @property
    def exports(self) -> list[str]:
        """The names of all exports."""
        return list(self._exports)

    def export(self, name: str) -> Resource:
        """The resource that an export tells of."""
        return self.target("", {"Fn::ImportValue": name})

    @cached_property
    def dependencies(self) -> dict[str, set[str]]:
        """By stack: those that are deployed before it, because it asks for that."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        found: dict[str, set[str]] = {}
        for stack in TopologicalSorter(
            {name: artifact.get("dependencies", []) for name, artifact in artifacts.items()}
        ).static_order():
            direct = set(artifacts[stack].get("dependencies", []))
            found[stack] = direct.union(*(found[name] for name in direct))
        return found

    def imports(self, stack: str) -> set[str]:
        """The exports of other stacks that a stack imports."""
        return {inner for key, inner in walk(self.templates[stack]) if key == "Fn::ImportValue"}

    @cached_property
    def _exports(self) -> dict[str, tuple[str, Any]]:
        return {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in self.templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }


def as_list(value: Any) -> list[Any]:
    """IAM writes one as itself and several as a list."""
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """A value with its references written as `{...}`, for looking at how it begins and ends."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text_of(part) for part in parts)
    return "{" + json.dumps(value) + "}"


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)
