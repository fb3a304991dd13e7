"""What the templates grant: the policies of roles and of resources, the keys of what is encrypted, and who is who."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.attributes import Resource
from local.intrinsics import Intrinsics
from local.permissions.policy import Caller
from local.resources import ACCOUNT, REGION, AssemblyError

Raw = dict[str, Any]

SES, CLOUDFRONT = "ses.amazonaws.com", "cloudfront.amazonaws.com"
OPERATOR = "local"
"""The access key of the developer, the deployment and the laptop cloud itself, who may do everything."""

POLICY_TYPES = frozenset(
    {
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::Permission",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::ResourcePolicy",
    }
)
_ENCRYPTED = {
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}


@dataclass(frozen=True)
class Grants:
    """All of it, by ARN, as JSON can hold it.

    Attributes:
        identity: the statements of each role.
        on: the statements of the policy of a resource.
        keys: the key that a resource is encrypted with.
        functions: the role of each function, by name.
        sources: what AWS's services act for: the service's name by the ARN.
        machines: the state machines.
    """

    identity: Mapping[str, list[Raw]] = field(default_factory=dict)
    on: Mapping[str, list[Raw]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    machines: tuple[str, ...] = ()

    def save(self, file: Path) -> None:
        """Write them for another process."""
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, file: Path) -> Grants:
        """Read what `save` wrote."""
        return cls(**json.loads(file.read_text()))

    def callers(self) -> dict[str, Caller]:
        """Whoever has credentials, by access key."""
        functions = [function_caller(name, role) for name, role in self.functions.items()]
        roles = [role_caller(role) for role in self.identity]
        services = [Caller(service, service, source) for source, service in self.sources.items()]
        return {access_key(caller): caller for caller in (*functions, *roles, *services)}


def function_caller(name: str, role: str) -> Caller:
    """The code of a function."""
    return Caller(role, name, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")


def role_caller(role: str) -> Caller:
    """A role that one of AWS's services has taken: Lambda for a function, Step Functions, the scheduler."""
    return Caller(role, role.rsplit("/", 1)[1])


def access_key(caller: Caller) -> str:
    """The access key of its credentials, in AWS's shape; the same at each start."""
    digest = hashlib.sha256(f"{caller.name} {caller.source}".encode()).hexdigest()
    return f"ASIA{digest[:16].upper()}"


def secret_key(key: str) -> str:
    """The secret of the credentials with that access key: no secret on this machine, but not the same for all."""
    return OPERATOR if key == OPERATOR else hashlib.sha256(f"secret of {key}".encode()).hexdigest()[:40]


def owner(arn: str) -> str:
    """The ARN whose policy and key count: a bucket's for its objects, a function's for its versions."""
    service = arn.split(":", 3)[2] if arn.startswith("arn:") else ""
    if service == "s3":
        return arn.split("/", 1)[0]
    return ":".join(arn.split(":")[:7]) if service == "lambda" else arn


def read_grants(intrinsics: Intrinsics) -> Grants:
    """What the assembly's templates grant. Raises AssemblyError on what cannot be decided here."""
    functions = _functions(intrinsics)
    identity = {arn: list(statements) for arn, statements in _identity(intrinsics).items()}
    return Grants(
        identity=identity,
        on=_on_resources(intrinsics),
        keys=_keys(intrinsics),
        functions=functions,
        sources=_sources(intrinsics),
        machines=tuple(
            intrinsics.attributes.arn(r) for r in intrinsics.of_type("AWS::StepFunctions::StateMachine")
        ),
    )


def _functions(intrinsics: Intrinsics) -> dict[str, str]:
    """The role of every function that runs here; the CDK's own deploy things by other means."""
    return {
        intrinsics.attributes.name(resource): str(
            intrinsics.value(resource.stack, resource.properties["Role"])
        )
        for resource in intrinsics.of_type("AWS::Lambda::Function")
        if str(resource.properties.get("Runtime", "")).startswith("python") and "Role" in resource.properties
    }


def _identity(intrinsics: Intrinsics) -> dict[str, list[Raw]]:
    """The statements of each role: of its own policies, and of those that name it."""
    roles = {intrinsics.attributes.name(r): r for r in intrinsics.of_type("AWS::IAM::Role")}
    found: dict[str, list[Raw]] = {name: [] for name in roles}
    for name, resource in roles.items():
        properties = intrinsics.properties(resource)
        for policy in properties.get("Policies", ()):
            found[name] += _statements(policy["PolicyDocument"])
    for resource in intrinsics.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        properties = intrinsics.properties(resource)
        for role in properties.get("Roles", ()):
            if role not in found:
                raise AssemblyError(f"{resource} belongs to a role {role} that no stack declares")
            found[role] += _statements(properties["PolicyDocument"])
    return {intrinsics.attributes.arn(roles[name]): statements for name, statements in found.items()}


def _on_resources(intrinsics: Intrinsics) -> dict[str, list[Raw]]:
    found: dict[str, list[Raw]] = defaultdict(list)
    for resource in intrinsics.of_type("AWS::KMS::Key"):
        found[intrinsics.attributes.arn(resource)] += _statements(
            intrinsics.properties(resource).get("KeyPolicy", {})
        )
    for resource in intrinsics.of_type("AWS::Lambda::Permission"):
        function, statement = _permission(intrinsics.properties(resource))
        found[owner(function)].append(statement)
    for kind, field_name, arn in (
        ("AWS::SQS::QueuePolicy", "Queues", "arn:aws:sqs:{region}:{account}:{name}"),
        ("AWS::SNS::TopicPolicy", "Topics", "{name}"),
        ("AWS::S3::BucketPolicy", "Bucket", "arn:aws:s3:::{name}"),
        ("AWS::SecretsManager::ResourcePolicy", "SecretId", "{name}"),
    ):
        for resource in intrinsics.of_type(kind):
            properties = intrinsics.properties(resource)
            document = properties.get("PolicyDocument", properties.get("ResourcePolicy", {}))
            for name in _list(properties[field_name]):
                name = str(name).rsplit("/", 1)[-1]
                found[arn.format(region=REGION, account=ACCOUNT, name=name)] += _statements(document)
    return dict(found)


def _permission(properties: Mapping[str, Any]) -> tuple[str, Raw]:
    """A function's ARN, and the statement of its policy that a Lambda permission is."""
    function = str(properties["FunctionName"])
    if not function.startswith("arn:"):
        function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    condition: dict[str, Any] = {}
    if "SourceArn" in properties:
        condition["ArnLike"] = {"aws:SourceArn": properties["SourceArn"]}
    if "SourceAccount" in properties:
        condition["StringEquals"] = {"aws:SourceAccount": properties["SourceAccount"]}
    principal = str(properties["Principal"])
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    return function, {
        "Effect": "Allow",
        "Principal": {kind: principal},
        "Action": properties["Action"],
        "Resource": function,
        "Condition": condition,
    }


def _keys(intrinsics: Intrinsics) -> dict[str, str]:
    """The key that a queue, a topic, a secret or a bucket is encrypted with, if it is a key of ours."""
    found = {}
    for kind, name in _ENCRYPTED.items():
        for resource in intrinsics.of_type(kind):
            if key := intrinsics.properties(resource).get(name):
                found[intrinsics.attributes.arn(resource)] = _key_arn(intrinsics, str(key), resource)
    for resource in intrinsics.of_type("AWS::S3::Bucket"):
        encryption = intrinsics.properties(resource).get("BucketEncryption", {})
        for rule in encryption.get("ServerSideEncryptionConfiguration", ()):
            if key := rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID"):
                found[intrinsics.attributes.arn(resource)] = _key_arn(intrinsics, str(key), resource)
    return found


def _key_arn(intrinsics: Intrinsics, key: str, of: Resource) -> str:
    arns = {intrinsics.attributes.arn(r) for r in intrinsics.of_type("AWS::KMS::Key")}
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"
    if arn not in arns:
        raise AssemblyError(f"{of} is encrypted with {key}, which no stack declares")
    return arn


def _sources(intrinsics: Intrinsics) -> dict[str, str]:
    """Those for which a service calls with credentials of its own: distributions read buckets, SES tells topics."""
    ref = intrinsics.attributes.ref
    distributions = {
        distribution_arn(ref(r)): CLOUDFRONT for r in intrinsics.of_type("AWS::CloudFront::Distribution")
    }
    return distributions | {
        f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{intrinsics.properties(r).get('Name', ref(r))}": (
            SES
        )
        for r in intrinsics.of_type("AWS::SES::ConfigurationSet")
    }


def distribution_arn(id_: str) -> str:
    """The ARN of a CloudFront distribution."""
    return f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id_}"


def _statements(document: Mapping[str, Any]) -> list[Raw]:
    return list(_list(document.get("Statement", ())))


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]
