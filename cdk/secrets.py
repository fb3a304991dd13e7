"""Secrets that are not the database's: providers' keys, which an operator puts in, and keys that jobs make."""

import json
import re
from typing import Any

from aws_cdk import SecretValue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.handler import allow
from cdk.stages import Stage


class Secret:
    """A secret that holds nothing yet, in the shape it will have, and its uses. `TokenKeys` is told to functions as
    TOKEN_KEYS_SECRET_ARN.

    CloudFormation writes the placeholder once, and again only if the template's changes.
    """

    def __init__(
        self, scope: Construct, name: str, placeholder: dict[str, Any], *, stage: Stage, key: kms.IKey
    ) -> None:
        words = re.findall("[A-Z][a-z]+", name)
        self._key, self._variable = key, f"{'_'.join(words).upper()}_SECRET_ARN"
        self._secret = secretsmanager.Secret(
            scope,
            name,
            secret_name=f"{stage.prefix}-{'-'.join(words).lower()}",
            encryption_key=key,
            secret_string_value=SecretValue.unsafe_plain_text(json.dumps(placeholder)),
            removal_policy=stage.removal,
        )

    def read(self, function: lambda_.Function) -> None:
        """A use: read the secret."""
        allow(function, ["secretsmanager:GetSecretValue"], self._secret.secret_arn)
        allow(function, ["kms:Decrypt"], self._key.key_arn)
        function.add_environment(self._variable, self._secret.secret_arn)

    def make(self, function: lambda_.Function) -> None:
        """A use: read the secret and put a new value into it."""
        self.read(function)
        allow(function, ["secretsmanager:PutSecretValue"], self._secret.secret_arn)
        allow(function, ["kms:GenerateDataKey"], self._key.key_arn)
