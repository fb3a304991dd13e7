"""Feature flags in AppConfig: what an operator turns on and off without a deployment of code (`shared.flags`).

`cdk/flags.json` is what a stage begins with. It changes only if somebody means to replace what operators have set
since: a flag that it does not name has the default in the code. The validator knows every flag that the code declares.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.stages import Stage

ROOT = Path(__file__).resolve().parents[1]
LAYER = ROOT / "layers" / "shared" / "python"
BEGINNING = ROOT / "cdk" / "flags.json"

# The agent 2.0.17054 for arm64, by region, from the list of versions in AppConfig's user guide. A layer of AWS's own
# account: its number is not ours, and there is no name for the newest version.
EXTENSION = {"us-east-1": "arn:aws:lambda:us-east-1:027255383542:layer:AWS-AppConfig-Extension-Arm64:254"}
POLL_SECONDS = 15


def declared() -> dict[str, Any]:
    """Every `Flag` in the settings of the services and in our layer, by name.

    Raises ValueError if two services give one name different defaults.
    """
    sys.path[:0] = [path for path in (str(ROOT), str(LAYER)) if path not in sys.path]
    kind = importlib.import_module("shared.flags").Flag
    services = [
        f"functions.{file.parent.name}.settings" for file in (ROOT / "functions").glob("*/settings.py")
    ]
    shared = [
        f"shared.{file.stem}" for file in (LAYER / "shared").glob("*.py") if "= Flag(" in file.read_text()
    ]
    found: dict[str, Any] = {}
    for module in sorted(shared + services):
        for flag in vars(importlib.import_module(module)).values():
            if isinstance(flag, kind) and found.setdefault(flag.name, flag).default != flag.default:
                raise ValueError(f"The flag {flag.name!r} is declared twice, with different defaults.")
    return found


def schema() -> dict[str, Any]:
    """What a document of flags looks like: AppConfig refuses any other before it is deployed anywhere.

    In JSON Schema's draft 4, the only one that AppConfig reads:
    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-and-profile-validators.html
    """
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _schema_of(flag) for name, flag in sorted(declared().items())},
    }


def _schema_of(flag: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "boolean"}
    kind: dict[str, Any] = {}
    if isinstance(flag.default, list):
        one = {"enum": list(flag.among)}
        value = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        kind = {"boolean_type": {"enum": [False]}}
    condition = {
        "type": "object",
        "additionalProperties": False,
        "required": ["action", "key", "value"],
        "properties": {"action": {"type": "string"}, "key": {"type": "string"}, "value": {}},
    }
    rule = {
        "type": "object",
        "additionalProperties": False,
        "required": ["when_match", "conditions"],
        "properties": {
            "when_match": value,
            "conditions": {"type": "array", "minItems": 1, "items": condition},
        },
    }
    return {
        "type": "object",
        "description": flag.help,
        "additionalProperties": False,
        "required": ["default", *kind],
        "properties": {
            "default": value,
            **kind,
            "rules": {"type": "object", "minProperties": 1, "additionalProperties": rule},
        },
    }


class Flags(Construct):
    """The application, its environment, the document, and how a change of it spreads.

    There are two ways, and operators choose one with each change: `gradual` reaches every process within ten minutes
    and is taken back if the API fails meanwhile; `at once` is for what makes the API answer 503 on purpose, which a
    rollback alarm would take for a failure.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, alarms: list[cloudwatch.IAlarm]) -> None:
        super().__init__(scope, id)
        application = appconfig.Application(self, "Application", application_name=stage.prefix)
        environment = appconfig.Environment(
            self,
            "Environment",
            application=application,
            environment_name=stage.name,
            monitors=[appconfig.Monitor.from_cloud_watch_alarm(alarm) for alarm in alarms],
        )
        at_once = self._strategy(f"{stage.prefix}-at-once", growth=100, minutes=0, bake=0)
        gradual = self._strategy(f"{stage.prefix}-gradual", growth=20, minutes=10, bake=5)
        profile = appconfig.HostedConfiguration(
            self,
            "Document",
            name="flags",
            application=application,
            content=appconfig.ConfigurationContent.from_inline_json(BEGINNING.read_text()),
            validators=[appconfig.JsonSchemaValidator.from_inline(json.dumps(schema(), sort_keys=True))],
            deploy_to=[environment],
            deployment_strategy=gradual if alarms else at_once,
        )
        self._path = (
            f"/applications/{application.application_id}/environments/{environment.environment_id}"
            f"/configurations/{profile.configuration_profile_id}"
        )
        self._arn = Stack.of(self).format_arn(
            service="appconfig",
            resource="application",
            resource_name=f"{application.application_id}/environment/{environment.environment_id}"
            f"/configuration/{profile.configuration_profile_id}",
        )
        self._region = stage.region

    def read(self, function: lambda_.Function) -> None:
        """A use: ask for flags, through AppConfig's extension, which comes as a layer."""
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"],
                resources=[self._arn],
            )
        )
        function.add_environment("FLAGS_PATH", self._path)
        function.add_environment("AWS_APPCONFIG_EXTENSION_POLL_INTERVAL_SECONDS", str(POLL_SECONDS))
        layer = lambda_.LayerVersion.from_layer_version_arn(function, "AppConfig", EXTENSION[self._region])
        function.add_layers(layer)

    def _strategy(self, name: str, *, growth: int, minutes: int, bake: int) -> appconfig.DeploymentStrategy:
        return appconfig.DeploymentStrategy(
            self,
            "".join(word.title() for word in name.split("-")[-2:]),
            deployment_strategy_name=name,
            rollout_strategy=appconfig.RolloutStrategy.linear(
                growth_factor=growth,
                deployment_duration=Duration.minutes(minutes),
                final_bake_time=Duration.minutes(bake),
            ),
        )
