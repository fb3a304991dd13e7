"""Parameter Store: what an operator may change without a deployment, and what stacks tell each other late."""

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

# Public keys that deploy-time jobs write: tokens are verified with the first, QR codes with the second.
PUBLISHED_KEYS = {
    "jwks": "The public keys that verify access tokens (a JWK set)",
    "ticket_keys": "The public keys that verify the QR codes of tickets",
}


def declared() -> dict[str, tuple[str, str, str]]:
    """Every `Setting` in the settings of the services and in our layer: its name; its default as text, its purpose and
    the pattern of its values.

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
    found: dict[str, tuple[str, str, str]] = {}
    for module in sorted(shared + services):
        for setting in vars(importlib.import_module(module)).values():
            if isinstance(setting, kind):
                value = str(setting.default)
                if found.setdefault(setting.name, (value, setting.help, setting.pattern))[0] != value:
                    raise ValueError(
                        f"The setting {setting.name!r} is declared twice, with different defaults."
                    )
    return found


class Settings(Stack):
    """A parameter for each setting that the code declares, and one for each set of public keys."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        sender = f"Box Office <tickets@{stage.mail_domain}>"
        settings = declared() | {"mail_from": (sender, "Who mails come from", "^.+@.+$")}
        for name, (default, help, pattern) in settings.items():
            self._parameter(name, stage.settings.get(name, default), help, pattern)
        self._published = {
            name: self._parameter(name, '{"keys":[]}', help) for name, help in PUBLISHED_KEYS.items()
        }

    def publish_keys(self, name: str) -> Use:
        """A use: overwrite the parameter `name` (one of PUBLISHED_KEYS)."""
        parameter = self._published[name]

        def use(function: lambda_.Function) -> None:
            allow(function, ["ssm:PutParameter"], parameter.parameter_arn)

        return use

    def _parameter(self, name: str, value: str, help: str, pattern: str | None = None) -> ssm.StringParameter:
        return ssm.StringParameter(
            self,
            "".join(word.title() for word in name.split("_")),
            parameter_name=f"{self._stage.parameters}/{name}",
            string_value=value,
            description=help,
            allowed_pattern=pattern,
        )
