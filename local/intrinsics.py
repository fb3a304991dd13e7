"""CloudFormation's intrinsic functions over a whole cloud assembly, exports of one stack feeding another."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from local.attributes import Attributes, Resource, function_name, qualifier
from local.resources import ACCOUNT, PICTURES_PATH, REGION, AssemblyError, Places

Template = Mapping[str, Any]
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_DYNAMIC = re.compile(r"\{\{resolve:ssm:([^:}]+)(?::\d+)?\}\}")
_SQS = f"https://sqs.{REGION}.amazonaws.com"
S3_HOST = ".s3.amazonaws.com"
"""How the host of a bucket ends."""
_ABSENT = object()


class Intrinsics:
    """Resolves values of the templates in `stacks` (by stack name). Raises AssemblyError on what it does not know."""

    def __init__(self, stacks: Mapping[str, Template], places: Places) -> None:
        self.stacks = stacks
        self.attributes = Attributes(places, self.value)
        self.resources = {
            (stack, id_): _resource(stack, id_, raw)
            for stack, template in stacks.items()
            for id_, raw in template.get("Resources", {}).items()
        }
        self._gateway_url = places.gateway_url.rstrip("/")
        self._aws_url = places.aws_url
        self._functions: dict[str, Callable[[str, Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Sub": self._sub,
            "Fn::Select": lambda stack, arg: self.value(stack, arg[1])[int(self.value(stack, arg[0]))],
            "Fn::Split": lambda stack, arg: str(self.value(stack, arg[1])).split(arg[0]),
            "Fn::ImportValue": self._import,
            "Fn::GetStackOutput": self._stack_output,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda stack, arg: base64.b64encode(str(self.value(stack, arg)).encode()).decode(),
            "Fn::ToJsonString": self._to_json,
            "Fn::GetAZs": lambda *_: [f"{REGION}{zone}" for zone in "abc"],
        }
        self._api_urls: dict[str, str] = {}
        self._distribution_urls: dict[str, str] = {}
        self._exports = self._find_exports()
        self._api_urls = self._find_api_urls()
        self._distribution_urls = self._find_distribution_urls()

    def value(self, stack: str, value: Any) -> Any:
        """`value` with every intrinsic function in it replaced by its result."""
        if isinstance(value, str):
            return self._localize(value)
        if isinstance(value, list):
            return [item for item in (self.value(stack, item) for item in value) if item is not _ABSENT]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if name in self._functions:
                result = self._functions[name](stack, argument)
                return self._localize(result) if isinstance(result, str) else result
            if name.startswith("Fn::"):
                raise AssemblyError(
                    f"stack {stack} uses {name}, an intrinsic function the laptop cloud does not know"
                )
        pairs = ((key, self.value(stack, item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not _ABSENT}

    def properties(self, resource: Resource) -> dict[str, Any]:
        """All properties of a resource, resolved."""
        return dict(self.value(resource.stack, resource.properties))

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type in types]

    def called(self, reference: str) -> str:
        """The name of the function that a caller refers to. Raises AssemblyError if its alias is not declared."""
        name, alias = function_name(reference), qualifier(reference)
        if alias is not None and alias not in self.aliases_of(name):
            raise AssemblyError(f"{reference} is called, but {name} has no alias or version {alias}")
        return name

    def aliases_of(self, function: str) -> frozenset[str]:
        """The aliases and versions of a function, all of which are its newest code."""
        return frozenset(self._aliases.get(function, ()))

    @cached_property
    def _aliases(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for resource in self.of_type("AWS::Lambda::Alias", "AWS::Lambda::Version"):
            reference = self.attributes.ref(resource)
            found.setdefault(function_name(reference), set()).add(str(qualifier(reference)))
        return found

    def source(self, stack: str, value: Any) -> Resource | None:
        """The resource whose attribute a value is, be it exported by another stack; None if it is not one's alone."""
        while isinstance(value, Mapping) and "Fn::ImportValue" in value:
            name = self.value(stack, value["Fn::ImportValue"])
            stack, value = self._exports.get(name, (stack, None))
        if not isinstance(value, Mapping) or "Fn::GetAtt" not in value:
            return None
        argument = value["Fn::GetAtt"]
        id_ = argument.split(".")[0] if isinstance(argument, str) else argument[0]
        return self.resources.get((stack, id_))

    def distributions(self) -> list[tuple[Resource, str]]:
        """Every distribution with the host of its (first) origin."""
        found = self.of_type("AWS::CloudFront::Distribution")
        origins = [each.properties["DistributionConfig"]["Origins"][0]["DomainName"] for each in found]
        return [(each, str(self.value(each.stack, host))) for each, host in zip(found, origins, strict=True)]

    def _ref(self, stack: str, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/local",
            "AWS::NoValue": _ABSENT,
        }
        if name in pseudo:
            return pseudo[name]
        if (stack, name) in self.resources:
            return self.attributes.ref(self.resources[stack, name])
        parameter = self.stacks[stack].get("Parameters", {}).get(name)
        if parameter is None or "Default" not in parameter:
            raise AssemblyError(
                f"stack {stack} refers to {name}, which it neither declares nor gives a default"
            )
        if str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value"):
            return self._parameter(parameter["Default"])
        return parameter["Default"]

    def _get_att(self, stack: str, argument: Any) -> Any:
        id_, _, attribute = (argument if isinstance(argument, str) else ".".join(argument)).partition(".")
        resource = self.resources.get((stack, id_))
        if resource is None:
            raise AssemblyError(f"stack {stack} reads {attribute} of {id_}, which it does not declare")
        return self.attributes.get(resource, attribute)

    def _join(self, stack: str, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.value(stack, parts))

    def _sub(self, stack: str, argument: Any) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in extra:
                return str(self.value(stack, extra[name]))
            return str(self._get_att(stack, name) if "." in name else self._ref(stack, name))

        return _VARIABLE.sub(replace, text)

    def _import(self, stack: str, argument: Any) -> Any:
        name = self.value(stack, argument)
        if name not in self._exports:
            raise AssemblyError(f"stack {stack} imports {name}, which no stack exports")
        return self.value(*self._exports[name])

    def _stack_output(self, stack: str, argument: Mapping[str, Any]) -> Any:
        other, output = (self.value(stack, argument[key]) for key in ("StackName", "OutputName"))
        try:
            return self.value(other, self.stacks[other]["Outputs"][output]["Value"])
        except KeyError:
            raise AssemblyError(
                f"stack {stack} reads output {output} of {other}, which has none such"
            ) from None

    def _find_in_map(self, stack: str, argument: Any) -> Any:
        mapping, first, second = (self.value(stack, part) for part in argument[:3])
        try:
            return self.stacks[stack]["Mappings"][mapping][first][second]
        except KeyError:
            raise AssemblyError(f"stack {stack} has no {mapping}/{first}/{second} in its mappings") from None

    def _to_json(self, stack: str, argument: Any) -> str:
        return json.dumps(self.value(stack, argument))

    def _find_exports(self) -> dict[str, tuple[str, Any]]:
        return {
            self.value(stack, output["Export"]["Name"]): (stack, output["Value"])
            for stack, template in self.stacks.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def _find_api_urls(self) -> dict[str, str]:
        apis = [self.attributes.ref(resource) for resource in self.of_type("AWS::ApiGateway::RestApi")]
        return {f"https://{api}.execute-api.{REGION}.amazonaws.com": self._gateway_url for api in apis}

    def _find_distribution_urls(self) -> dict[str, str]:
        """Where the gateway stands in for each distribution. Raises AssemblyError on one that shows something else."""
        urls = {}
        for resource, origin in self.distributions():
            if not origin.endswith(S3_HOST) and f"https://{origin}" not in self._api_urls:
                raise AssemblyError(f"{resource} shows {origin}, which is neither a bucket nor the API")
            path = PICTURES_PATH if origin.endswith(S3_HOST) else ""
            urls[f"https://{self.attributes.get(resource, 'DomainName')}"] = f"{self._gateway_url}{path}"
        return urls

    def _localize(self, text: str) -> str:
        """Replace the addresses of the API and of distributions on AWS by the gateway's, that of SQS by this machine's,
        and `{{resolve:ssm:…}}` by the parameter's value.
        """
        if text.startswith(_SQS):
            text = text.replace(_SQS, self._aws_url, 1)
        for remote, local in self._distribution_urls.items():
            text = text.replace(remote, local)
        for remote, local in self._api_urls.items():
            if remote in text:
                text = re.sub(re.escape(remote) + r"(/[\w$-]+)?/?$", local, text)
                text = re.sub(re.escape(remote) + r"/[\w$-]+/", f"{local}/", text)
        if "{{resolve:ssm:" in text:
            text = _DYNAMIC.sub(lambda match: self._parameter(match[1]), text)
        return text

    def _parameter(self, name: str) -> str:
        for resource in self.of_type("AWS::SSM::Parameter"):
            if self.attributes.name(resource) == name:
                return str(self.value(resource.stack, resource.properties["Value"]))
        if name.startswith("/cdk-bootstrap/"):
            return "0"
        raise AssemblyError(f"no stack declares the parameter {name} that a template reads")


def _resource(stack: str, id_: str, raw: Mapping[str, Any]) -> Resource:
    if "Condition" in raw and raw["Type"] != "AWS::CDK::Metadata":
        raise AssemblyError(f"{stack}/{id_} depends on a condition, which the laptop cloud does not evaluate")
    depends = raw.get("DependsOn", ())
    return Resource(
        stack=stack,
        id=id_,
        type=raw["Type"],
        properties=raw.get("Properties", {}),
        metadata=raw.get("Metadata", {}),
        depends_on=(depends,) if isinstance(depends, str) else tuple(depends),
    )
