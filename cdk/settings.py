"""Parameter Store: what an operator may change without a deployment, and the public keys that jobs publish there.

CloudFormation writes a parameter's value again when anything of the parameter changes, its description or a tag of the
stack included (https://github.com/aws/aws-cdk/issues/25949). So a setting has nothing but its value and the pattern of
values: only a default that changed replaces what an operator has put there. Public keys are in no template at all.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.handler import Use, allow
from cdk.stages import Stage

ROOT = Path(__file__).resolve().parents[1]
LAYER = ROOT / "layers" / "shared" / "python"

PUBLISHED_KEYS = ("jwks", "ticket_keys")
"""Parameters that deploy-time jobs make: tokens are verified with the first, QR codes with the second."""

Default = tuple[str, str]
"""A setting's default as text, and the pattern of its values."""


def declared() -> dict[str, Default]:
    """Every `Setting` in the settings of the services and in our layer, by name.

    Raises ValueError if two services give one name different defaults.
    """
    sys.path[:0] = [path for path in (str(ROOT), str(LAYER)) if path not in sys.path]
    kind = importlib.import_module("shared.settings").Setting
    services = [
        f"functions.{file.parent.name}.settings" for file in (ROOT / "functions").glob("*/settings.py")
    ]
    shared = [
        f"shared.{file.stem}" for file in (LAYER / "shared").glob("*.py") if "= Setting(" in file.read_text()
    ]
    found: dict[str, Default] = {}
    for module in sorted(shared + services):
        for setting in vars(importlib.import_module(module)).values():
            if isinstance(setting, kind):
                value = str(setting.default)
                if found.setdefault(setting.name, (value, setting.pattern))[0] != value:
                    raise ValueError(
                        f"The setting {setting.name!r} is declared twice, with different defaults."
                    )
    return found


class Settings(Stack):
    """A parameter for each setting that the code declares. The stack has no tags: its parameters would have them."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        sender = f"Box Office <tickets@{stage.mail_domain}>"
        settings = declared() | {"mail_from": (sender, "^.+@.+$")}
        for name, (default, pattern) in settings.items():
            self._parameter(name, stage.settings.get(name, default), pattern)

    def publish_keys(self, name: str) -> Use:
        """A use: write the parameter `name` (one of PUBLISHED_KEYS), which is there from the first time on."""
        if name not in PUBLISHED_KEYS:
            raise ValueError(f"No keys are published as {name!r}.")
        path = f"{self._stage.parameters.lstrip('/')}/{name}"

        def use(function: lambda_.Function) -> None:
            arn = Stack.of(function).format_arn(service="ssm", resource="parameter", resource_name=path)
            allow(function, ["ssm:PutParameter"], arn)

        return use

    def _parameter(self, name: str, value: str, pattern: str) -> None:
        ssm.StringParameter(
            self,
            "".join(word.title() for word in name.split("_")),
            parameter_name=f"{self._stage.parameters}/{name}",
            string_value=value,
            allowed_pattern=pattern,
        )
