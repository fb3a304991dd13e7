"""What `Ref` and `Fn::GetAtt` answer for each type of resource: AWS's shapes with this machine's addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.resources import ACCOUNT, REGION, AssemblyError, Places

PLACEHOLDER = "unknown:"
"""Begins every value that no local part can give. One that reaches a function's environment is an error."""

SECRET_SUFFIX = "-LOCAL1"
"""Ends a secret's ARN, as the six random characters do on AWS."""

_NAME_PROPERTY = {
    "AWS::ElastiCache::ServerlessCache": "ServerlessCacheName",
    "AWS::ElastiCache::User": "UserId",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::RDS::DBProxy": "DBProxyName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SES::EmailIdentity": "EmailIdentity",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
_ARN = {
    "AWS::ElastiCache::ServerlessCache": "elasticache:{place}:serverlesscache:{name}",
    "AWS::ElastiCache::User": "elasticache:{place}:user:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{place}:key/{name}",
    "AWS::Lambda::Function": "lambda:{place}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{place}:layer:{name}:1",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}:*",
    "AWS::RDS::DBInstance": "rds:{place}:db:{name}",
    "AWS::RDS::DBProxy": "rds:{place}:db-proxy:{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{place}:{name}",
    "AWS::SQS::Queue": "sqs:{place}:{name}",
    "AWS::Scheduler::Schedule": "scheduler:{place}:schedule/default/{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{place}:secret:{name}" + SECRET_SUFFIX,
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{name}",
}
_REF_IS_ARN = frozenset(
    {
        "AWS::Lambda::LayerVersion",
        "AWS::SNS::Topic",
        "AWS::SecretsManager::Secret",
        "AWS::StepFunctions::StateMachine",
    }
)
_CACHE_HOST = ("Endpoint.Address", "ReaderEndpoint.Address")
_CACHE_PORT = tuple(name.replace("Address", "Port") for name in _CACHE_HOST)


@dataclass(frozen=True)
class Resource:
    """A resource as the template declares it; `properties` are not resolved yet."""

    stack: str
    id: str
    type: str
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.stack}/{self.id} ({self.type})"


class Attributes:
    """Answers `Ref` and `Fn::GetAtt`. `resolve(stack, value)` resolves a nested property of a resource."""

    def __init__(self, places: Places, resolve: Callable[[str, Any], Any]) -> None:
        self._places = places
        self._resolve = resolve

    def name(self, resource: Resource) -> str:
        """The physical name: the declared one, else one made from the stack and the logical id."""
        declared = resource.properties.get(_NAME_PROPERTY.get(resource.type, ""))
        return str(self._resolve(resource.stack, declared)) if declared else f"{resource.stack}-{resource.id}"

    def arn(self, resource: Resource) -> str:
        """The ARN in AWS's shape; CDK takes ARNs apart, so they need it."""
        shape = _ARN.get(resource.type)
        if shape is None:
            return f"{PLACEHOLDER}{resource}.Arn"
        place = f"{REGION}:{ACCOUNT}"
        return "arn:aws:" + shape.format(place=place, account=ACCOUNT, name=self.name(resource))

    def administrator_s_secret(self, server: Resource) -> str:
        """The ARN of the secret in which RDS keeps the password of a server's administrator."""
        shape = _ARN["AWS::SecretsManager::Secret"]
        return "arn:aws:" + shape.format(
            place=f"{REGION}:{ACCOUNT}", name=self.administrator_s_secret_name(server)
        )

    def administrator_s_secret_name(self, server: Resource) -> str:
        """The name that RDS gives to that secret."""
        return f"rds!db-{self.name(server)}"

    def ref(self, resource: Resource) -> str:
        """The value of `Ref`."""
        kind = resource.type
        if kind in _REF_IS_ARN:
            return self.arn(resource)
        if kind == "AWS::SQS::Queue":
            return f"{self._places.aws_url}/{ACCOUNT}/{self.name(resource)}"
        if kind == "AWS::Lambda::Version":
            return self._qualified(resource, "1")
        if kind == "AWS::Lambda::Alias":
            return self._qualified(resource, str(resource.properties["Name"]))
        if kind == "AWS::ApiGateway::RestApi":
            return hashlib.sha256(str(resource).encode()).hexdigest()[:10]
        if kind == "AWS::ApiGateway::Stage":
            return str(self._resolve(resource.stack, resource.properties["StageName"]))
        return self.name(resource)

    def get(self, resource: Resource, attribute: str) -> Any:
        """The value of `Fn::GetAtt`; a placeholder if nothing local knows it."""
        local = self._address(resource.type, attribute)
        if local is not None:
            return local
        kind = resource.type
        if attribute == "MasterUserSecret.SecretArn":
            return self.administrator_s_secret(resource)
        if attribute == "Arn" or attribute in (f"{kind.rsplit('::', 1)[-1]}Arn", "ARN", "RoleArn"):
            return self.arn(resource)
        if kind == "AWS::ApiGateway::RestApi" and attribute == "RootResourceId":
            return f"{self.ref(resource)}-root"
        if kind == "AWS::CloudFront::Distribution" and attribute == "DomainName":
            return f"{hashlib.sha256(str(resource).encode()).hexdigest()[:13]}.cloudfront.net"
        if kind == "AWS::S3::Bucket" and attribute in ("DomainName", "RegionalDomainName"):
            return f"{self.name(resource)}.s3.amazonaws.com"
        if attribute in ("QueueName", "TopicName", "Name"):
            return self.name(resource)
        if kind == "AWS::SSM::Parameter" and attribute == "Value":
            return self._resolve(resource.stack, resource.properties["Value"])
        if attribute in ("QueueUrl", "TopicArn", "Id", "RestApiId"):
            return self.ref(resource)
        return f"{PLACEHOLDER}{resource}.{attribute}"

    def _address(self, kind: str, attribute: str) -> str | None:
        database, cache = self._places.database, self._places.cache
        if kind in ("AWS::RDS::DBProxy", "AWS::RDS::DBProxyEndpoint") and attribute == "Endpoint":
            return database.host
        if kind in ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
            return {"Endpoint.Address": database.host, "Endpoint.Port": str(database.port)}.get(attribute)
        if kind == "AWS::ElastiCache::ServerlessCache":
            if attribute in _CACHE_HOST:
                return cache.host
            if attribute in _CACHE_PORT:
                return str(cache.port)
        return None

    def _qualified(self, resource: Resource, qualifier: str) -> str:
        function = str(self._resolve(resource.stack, resource.properties["FunctionName"]))
        if not function.startswith("arn:"):
            function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        return f"{function}:{qualifier}"


def function_name(reference: str) -> str:
    """A function's name from its name or ARN, with or without a qualifier. Raises AssemblyError for another ARN."""
    if not reference.startswith("arn:"):
        return reference.split(":")[0]
    parts = reference.split(":")
    if len(parts) < 7 or parts[2] != "lambda":
        raise AssemblyError(f"{reference} is not the ARN of a function")
    return parts[6]


def qualifier(reference: str) -> str | None:
    """The version or alias that a function's name or ARN names, if any."""
    parts = reference.split(":")
    at = 7 if reference.startswith("arn:") else 1
    return parts[at] if len(parts) > at else None
