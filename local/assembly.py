"""Reads a cloud assembly (`cdk.out`) and says what the laptop cloud has to run.

The template is the only source: routes, handlers, environments, timeouts, queues, filters and schedules are taken
from what `cdk synth` wrote. A resource that is neither run nor listed in `local.not_run` is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.api_reader import API_TYPES, read_api
from local.attributes import PLACEHOLDER, Resource
from local.bucket_reader import read_buckets, read_distribution
from local.intrinsics import Intrinsics
from local.not_run import NOT_RUN
from local.permissions.grants import POLICY_TYPES, Grants, read_grants
from local.permissions.sign_ins import read_sign_ins
from local.resources import (
    Api,
    AssemblyError,
    Bucket,
    Distribution,
    EventSource,
    Function,
    Parameter,
    Places,
    Queue,
    Schedule,
    Secret,
    StateMachine,
    Subscription,
    Topic,
    Trigger,
)

__all__ = ["Assembly", "AssemblyError"]

RUN = (API_TYPES | POLICY_TYPES) | {
    "AWS::AppConfig::HostedConfigurationVersion",
    "AWS::CloudFront::Distribution",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Version",
    "AWS::S3::Bucket",
    "AWS::SES::EmailIdentity",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
    "Custom::Trigger",
}
_DEPLOYERS = (
    "AWSCDKTriggerCustomResourceProvider",
    "CustomS3AutoDeleteObjects",
    "CustomVpcRestrictDefaultSG",
)
"""Functions that CDK itself adds to deploy custom resources; the laptop runs the triggers directly."""


@dataclass(frozen=True)
class Assembly:
    """Everything in the templates that runs locally."""

    functions: Mapping[str, Function]
    api: Api | None
    state_machines: list[StateMachine]
    queues: list[Queue]
    topics: list[Topic]
    subscriptions: list[Subscription]
    event_sources: list[EventSource]
    schedules: list[Schedule]
    triggers: list[Trigger]
    secrets: list[Secret]
    parameters: list[Parameter]
    buckets: list[Bucket]
    distribution: Distribution | None
    mail_identities: list[str]
    flags: str | None
    grants: Grants

    @classmethod
    def read(cls, root: Path, places: Places) -> Assembly:
        """Read the assembly in `root`. Raises AssemblyError naming what cannot be run."""
        manifest = root / "manifest.json"
        if not manifest.exists():
            raise AssemblyError(f"there is no cloud assembly in {root}: run cdk synth first")
        reader = _Reader(root, json.loads(manifest.read_text()), places)
        reader.check_types()
        return cls(
            functions={function.name: function for function in reader.functions()},
            api=read_api(reader.intrinsics),
            state_machines=list(reader.state_machines()),
            queues=list(reader.queues()),
            topics=[Topic(reader.name(r), reader.arn(r)) for r in reader.of_type("AWS::SNS::Topic")],
            subscriptions=list(reader.subscriptions()),
            event_sources=list(reader.event_sources()),
            schedules=list(reader.schedules()),
            triggers=list(reader.triggers()),
            secrets=list(reader.secrets()),
            parameters=list(reader.parameters()),
            buckets=list(read_buckets(reader.intrinsics)),
            distribution=read_distribution(reader.intrinsics),
            mail_identities=[reader.name(r) for r in reader.of_type("AWS::SES::EmailIdentity")],
            flags=reader.flags(),
            grants=read_grants(reader.intrinsics),
        )


class _Reader:
    def __init__(self, root: Path, manifest: Mapping[str, Any], places: Places) -> None:
        stacks = {
            artifact["properties"].get("stackName", name): (name, artifact)
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        order = _in_order({name: (artifact.get("dependencies", ())) for name, artifact in stacks.values()})
        by_artifact = {name: (stack, artifact) for stack, (name, artifact) in stacks.items()}
        templates = {}
        for stack, artifact in (by_artifact[name] for name in order):
            templates[stack] = json.loads((root / artifact["properties"]["templateFile"]).read_text())
        self.intrinsics = Intrinsics(templates, places)
        self.of_type = self.intrinsics.of_type
        self.name = self.intrinsics.attributes.name
        self.arn = self.intrinsics.attributes.arn
        self.properties = self.intrinsics.properties
        self._assets = _asset_paths(root)

    def check_types(self) -> None:
        for resource in self.intrinsics.resources.values():
            if resource.type not in RUN and resource.type not in NOT_RUN:
                raise AssemblyError(
                    f"{resource} is neither run by the laptop cloud nor listed in local/not_run.py with a reason"
                )

    def functions(self) -> Iterable[Function]:
        layers = {self.arn(r): self._layer(r) for r in self.of_type("AWS::Lambda::LayerVersion")}
        for resource in self.of_type("AWS::Lambda::Function"):
            properties = self.properties(resource)
            if not str(properties.get("Runtime", "")).startswith("python"):
                if not resource.id.startswith(_DEPLOYERS):
                    raise AssemblyError(
                        f"{resource} has the runtime {properties.get('Runtime')}; only Python is run"
                    )
                continue
            environment = properties.get("Environment", {}).get("Variables", {})
            for name, value in environment.items():
                if not isinstance(value, str) or PLACEHOLDER in value or "{{resolve:" in value:
                    raise AssemblyError(
                        f"{resource} has the variable {name} = {value!r}, which has no local value"
                    )
            yield Function(
                name=self.name(resource),
                handler=properties["Handler"],
                code=self._asset(resource, properties["Code"]),
                layers=[
                    path for arn in properties.get("Layers", ()) if (path := layers.get(arn)) is not None
                ],
                environment=environment,
                timeout=float(properties.get("Timeout", 3)),
                memory=int(properties.get("MemorySize", 128)),
                reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
                log_format=properties.get("LoggingConfig", {}).get("LogFormat", "Text"),
                aliases=self.intrinsics.aliases_of(self.name(resource)),
                role=str(properties.get("Role", "")),
                **read_sign_ins(self.intrinsics, resource),
            )

    def _asset(self, resource: Resource, code: Mapping[str, Any]) -> Path:
        key = str(code.get("S3Key", "")).removesuffix(".zip")
        path = self._assets.get(key)
        if path is None or not path.is_dir():
            raise AssemblyError(f"{resource} has no unpacked code in the assembly (key {key or 'missing'})")
        return path

    def _layer(self, resource: Resource) -> Path | None:
        """The import root of our own layer; None for third-party code, which this virtual environment holds."""
        key = str(self.properties(resource)["Content"].get("S3Key", "")).removesuffix(".zip")
        root = self._assets.get(key, Path("/nonexistent")) / "python"
        return None if not root.is_dir() or any(root.glob("*.dist-info")) else root

    def state_machines(self) -> Iterable[StateMachine]:
        for resource in self.of_type("AWS::StepFunctions::StateMachine"):
            properties = self.properties(resource)
            if "DefinitionString" not in properties:
                raise AssemblyError(f"{resource} has no DefinitionString")
            definition = properties["DefinitionString"]
            for name, value in properties.get("DefinitionSubstitutions", {}).items():
                definition = definition.replace(f"${{{name}}}", str(value))
            kind = properties.get("StateMachineType", "STANDARD")
            yield StateMachine(self.name(resource), definition, properties["RoleArn"], kind)

    def queues(self) -> Iterable[Queue]:
        names = (
            "DelaySeconds",
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "ReceiveMessageWaitTimeSeconds",
            "MaximumMessageSize",
            "FifoQueue",
            "ContentBasedDeduplication",
        )
        for resource in self.of_type("AWS::SQS::Queue"):
            properties = self.properties(resource)
            attributes = {name: _attribute(properties[name]) for name in names if name in properties}
            if "RedrivePolicy" in properties:
                attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
            yield Queue(self.name(resource), self.arn(resource), attributes)

    def subscriptions(self) -> Iterable[Subscription]:
        for resource in self.of_type("AWS::SNS::Subscription"):
            properties = self.properties(resource)
            if properties["Protocol"] != "sqs":
                if properties["Protocol"] in ("email", "https", "http"):
                    continue  # alarms to people: nobody is paged on a laptop
                raise AssemblyError(f"{resource} delivers by {properties['Protocol']}; only sqs is run")
            attributes: dict[str, str] = {}
            for name in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"):
                if name in properties:
                    value = properties[name]
                    attributes[name] = value if isinstance(value, str) else json.dumps(value)
            yield Subscription(properties["TopicArn"], "sqs", properties["Endpoint"], attributes)

    def event_sources(self) -> Iterable[EventSource]:
        for resource in self.of_type("AWS::Lambda::EventSourceMapping"):
            properties = self.properties(resource)
            arn = properties["EventSourceArn"]
            if not arn.startswith("arn:aws:sqs:"):
                raise AssemblyError(f"{resource} reads {arn}; only queues are run")
            if "FilterCriteria" in properties:
                raise AssemblyError(f"{resource} filters its events, which the laptop cloud does not")
            if properties.get("Enabled", True) is False:
                continue
            yield EventSource(
                queue=arn.rsplit(":", 1)[1],
                queue_arn=arn,
                function=self.intrinsics.called(properties["FunctionName"]),
                batch_size=int(properties.get("BatchSize", 10)),
                window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
                partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
                concurrency=properties.get("ScalingConfig", {}).get("MaximumConcurrency"),
            )

    def schedules(self) -> Iterable[Schedule]:
        for resource in self.of_type("AWS::Scheduler::Schedule"):
            properties = self.properties(resource)
            if properties.get("State", "ENABLED") != "ENABLED":
                continue
            yield Schedule(
                name=self.name(resource),
                expression=properties["ScheduleExpression"],
                timezone=properties.get("ScheduleExpressionTimezone", "UTC"),
                function=self.intrinsics.called(properties["Target"]["Arn"]),
                payload=properties["Target"].get("Input", "{}"),
                target=properties["Target"]["Arn"],
                role=properties["Target"].get("RoleArn"),
            )

    def triggers(self) -> Iterable[Trigger]:
        found = {(r.stack, r.id): r for r in self.of_type("Custom::Trigger")}
        for (stack, id_), resource in found.items():
            function = self.intrinsics.called(self.properties(resource)["HandlerArn"])
            after = [f"{stack}/{other}" for other in resource.depends_on if (stack, other) in found]
            yield Trigger(f"{stack}/{id_}", function, after)

    def secrets(self) -> Iterable[Secret]:
        for resource in self.of_type("AWS::SecretsManager::Secret"):
            properties = self.properties(resource)
            yield Secret(
                name=self.name(resource),
                arn=self.arn(resource),
                literal=properties.get("SecretString"),
                generate=properties.get("GenerateSecretString"),
            )
        for resource in self.of_type("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
            properties = self.properties(resource)
            if properties.get("ManageMasterUserPassword"):
                yield self._administrator(resource, properties["MasterUsername"])

    def _administrator(self, server: Resource, user: str) -> Secret:
        """The secret that RDS makes itself for a server whose password it manages."""
        rules = {"SecretStringTemplate": json.dumps({"username": user}), "GenerateStringKey": "password"}
        attributes = self.intrinsics.attributes
        return Secret(
            name=attributes.administrator_s_secret_name(server),
            arn=attributes.administrator_s_secret(server),
            literal=None,
            generate=rules,
            is_administrator=True,
        )

    def flags(self) -> str | None:
        """The document of feature flags that a stage begins with."""
        documents = self.of_type("AWS::AppConfig::HostedConfigurationVersion")
        if len(documents) > 1:
            raise AssemblyError(f"there are {len(documents)} documents of flags; one is run")
        return str(self.properties(documents[0])["Content"]) if documents else None

    def parameters(self) -> Iterable[Parameter]:
        for resource in self.of_type("AWS::SSM::Parameter"):
            properties = self.properties(resource)
            yield Parameter(
                self.name(resource),
                str(properties["Value"]),
                properties["Type"],
                properties.get("Description", ""),
                properties.get("AllowedPattern"),
            )


def _attribute(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _asset_paths(root: Path) -> dict[str, Path]:
    """Where each packaged file asset lies unpacked, by the key it is uploaded under."""
    paths = {}
    for manifest in root.glob("*.assets.json"):
        for key, asset in json.loads(manifest.read_text()).get("files", {}).items():
            source = root / asset["source"]["path"]
            paths[key] = source
            for destination in asset.get("destinations", {}).values():
                paths[str(destination.get("objectKey", "")).removesuffix(".zip")] = source
    return paths


def _in_order(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """Names after all that they depend on; unknown dependencies (assets) are left out."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in dependencies:
            return
        for dependency in dependencies[name]:
            visit(dependency)
        done.append(name)

    for name in dependencies:
        visit(name)
    return done
