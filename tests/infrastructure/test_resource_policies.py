"""What the policies of resources say: every wildcard with its reason, every service with the account it acts for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.template import Resource, System, as_list, text_of

DOCUMENTS = ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument", "ResourcePolicy", "AccessPolicy")
IDENTITY = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
SECURE = "aws:SecureTransport"

# A type of resource, and what its policies have a wildcard in.
WILDCARDS = {
    ("AWS::SQS::QueuePolicy", "principal"): "nobody, whoever it is, may send without TLS (a Deny)",
    ("AWS::SQS::QueuePolicy", "action"): "likewise",
    ("AWS::SNS::TopicPolicy", "principal"): "likewise",
    ("AWS::S3::BucketPolicy", "principal"): "likewise",
    ("AWS::S3::BucketPolicy", "action"): "likewise",
    ("AWS::S3::BucketPolicy", "resource"): "the objects of the bucket, or those below one folder of it",
    (
        "AWS::KMS::Key",
        "action",
    ): "the account's own policies decide, and logs need every action of a family",
    ("AWS::KMS::Key", "resource"): "in a key's policy: this key",
}

# Services that are let in without the account that they act for.
WITHOUT_ACCOUNT = {
    (
        "AWS::IAM::Role",
        "appconfig.amazonaws.com",
    ): "the CDK makes it for monitors; it may look at alarms, no more",
    (
        "AWS::IAM::Role",
        "lambda.amazonaws.com",
    ): "Lambda takes a role only for functions of the role's account",
    (
        "AWS::IAM::Role",
        "apigateway.amazonaws.com",
    ): "API Gateway takes a role only for APIs of the role's account",
    ("AWS::IAM::Role", "rds.amazonaws.com"): "RDS takes a role only for proxies of the role's account",
    (
        "AWS::SNS::TopicPolicy",
        "events.amazonaws.com",
    ): "EventBridge tells no account that could be asked for",
    ("AWS::KMS::Key", "events.amazonaws.com"): "likewise",
    (
        "AWS::KMS::Key",
        "logs.us-east-1.amazonaws.com",
    ): "asked for its log groups instead, which are the account's",
    (
        "AWS::S3::BucketPolicy",
        "cloudfront.amazonaws.com",
    ): "asked for its distribution instead (and once denied)",
    ("AWS::SQS::QueuePolicy", "sns.amazonaws.com"): "asked for its topic instead",
    ("AWS::KMS::Key", "cloudtrail.amazonaws.com"): "asked for its trail instead",
    ("AWS::KMS::Key", "ses.amazonaws.com"): "asked for its topic instead, which asks for the account",
    (
        "AWS::S3::BucketPolicy",
        "cloudtrail.amazonaws.com",
    ): "CloudTrail writes below our account's folder alone",
    ("AWS::S3::BucketPolicy", "config.amazonaws.com"): "AWS Config writes below our account's folder alone",
    (
        "AWS::IAM::Role",
        "codedeploy.amazonaws.com",
    ): "CodeDeploy takes a role only for deployment groups of the role's account",
    (
        "AWS::IAM::Role",
        "config.amazonaws.com",
    ): "AWS Config takes a role only for recorders of the role's account",
    (
        "AWS::IAM::Role",
        "vpc-flow-logs.amazonaws.com",
    ): "flow logs take a role only for networks of the role's account",
    (
        "AWS::IAM::Role",
        "cloudtrail.amazonaws.com",
    ): "CloudTrail takes a role only for trails of the role's account",
}
INSTEAD = (
    "aws:sourcearn",
    "kms:encryptioncontext:aws:logs:arn",
    "kms:encryptioncontext:aws:sns:topicarn",
)


def statements(system: System) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for resource in system.resources:
        for name in DOCUMENTS:
            document = resource.properties.get(name)
            if resource.type not in IDENTITY and isinstance(document, dict):
                for statement in as_list(document.get("Statement", [])):
                    yield resource, statement


def principals(statement: dict[str, Any]) -> list[str]:
    raw = statement["Principal"]
    return [raw] if raw == "*" else [text_of(each) for kind in raw.values() for each in as_list(kind)]


def conditions(statement: dict[str, Any]) -> set[str]:
    return {key.lower() for keys in statement.get("Condition", {}).values() for key in keys}


def wildcards(system: System) -> set[tuple[str, str]]:
    found = set()
    for resource, statement in statements(system):
        parts = {
            "principal": principals(statement),
            "action": as_list(statement["Action"]),
            "resource": [text_of(each) for each in as_list(statement.get("Resource", []))],
        }
        found |= {
            (resource.type, part) for part, texts in parts.items() if any("*" in text for text in texts)
        }
    return found


@pytest.mark.parametrize("stage", ["system", "production"])
def test_every_wildcard_in_a_resource_s_policy_is_on_the_list(
    request: pytest.FixtureRequest, stage: str
) -> None:
    assert wildcards(request.getfixturevalue(stage)) == set(WILDCARDS)


@pytest.mark.parametrize("stage", ["system", "production"])
def test_everybody_is_only_ever_denied(request: pytest.FixtureRequest, stage: str) -> None:
    denied = 0
    for resource, statement in statements(request.getfixturevalue(stage)):
        if "*" in principals(statement):
            assert (statement["Effect"], conditions(statement)) == ("Deny", {SECURE.lower()}), resource
            denied += 1
    assert denied > 10


@pytest.mark.parametrize("stage", ["system", "production"])
def test_a_service_is_let_in_for_our_account_alone(request: pytest.FixtureRequest, stage: str) -> None:
    """A service acts for every customer of AWS: without the condition another one could make it act on ours."""
    for resource, statement in statements(request.getfixturevalue(stage)):
        for principal in principals(statement):
            if not principal.endswith(".amazonaws.com") or "aws:sourceaccount" in conditions(statement):
                continue
            assert (resource.type, principal) in WITHOUT_ACCOUNT, (resource, statement)
            reason = WITHOUT_ACCOUNT[resource.type, principal]
            if "instead" in reason and statement["Effect"] == "Allow":
                assert conditions(statement) & set(INSTEAD), (resource, statement)


@pytest.mark.parametrize("stage", ["system", "production"])
def test_a_key_s_policy_names_the_services_that_use_it_and_no_other(
    request: pytest.FixtureRequest, stage: str
) -> None:
    system: System = request.getfixturevalue(stage)
    named: dict[str, set[str]] = {}
    for resource, statement in statements(system):
        if resource.type == "AWS::KMS::Key":
            services = {text for text in principals(statement) if text.endswith(".amazonaws.com")}
            named.setdefault(resource.stack, set()).update(services)
    of_account = {services.pop() for services in named.values() if services == {"cloudtrail.amazonaws.com"}}
    assert of_account == ({"cloudtrail.amazonaws.com"} if system.of_type("AWS::CloudTrail::Trail") else set())
    assert {stack: services for stack, services in named.items() if services} == {
        "Messaging": {
            "cloudwatch.amazonaws.com",  # alarms
            "events.amazonaws.com",  # what EventBridge tells the topic of alarms
            "events.rds.amazonaws.com",
            "s3.amazonaws.com",  # uploads
            "ses.amazonaws.com",  # what becomes of mails
            "sns.amazonaws.com",  # topics to queues
        },
        "Network": {"logs.us-east-1.amazonaws.com"},
    }


@pytest.mark.parametrize("stage", ["system", "production"])
def test_every_function_s_policy_lets_in_our_api_only(request: pytest.FixtureRequest, stage: str) -> None:
    permissions = request.getfixturevalue(stage).of_type("AWS::Lambda::Permission")
    assert permissions
    for permission in permissions:
        assert permission.properties["Principal"] == "apigateway.amazonaws.com"
        source = json.dumps(permission.properties["SourceArn"])
        assert "execute-api" in source
        assert "AWS::AccountId" in source
