"""Permissions on this machine: policies are decided as IAM would, and a call needs what AWS says it does."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.permissions.calls import ANY_MACHINE, Call, UnknownCall, needs
from local.permissions.gate import Denied, Gate
from local.permissions.grants import Grants, access_key, function_caller, role_caller
from local.permissions.policy import ROOT, Caller, Statement, decide
from local.resources import AssemblyError
from tests.small_cloud import read

QUEUE = "arn:aws:sqs:us-east-1:000000000000:mail"
TOPIC = "arn:aws:sns:us-east-1:000000000000:auth"
KEY = "arn:aws:kms:us-east-1:000000000000:key/one"
ROLE = "arn:aws:iam::000000000000:role/sender"
SENDER = function_caller("sender", ROLE)
SNS = Caller("sns.amazonaws.com", "SNS", TOPIC)


def allow(action: str | list[str], resource: str | dict[str, Any] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def verdict(
    caller: Caller, identity: list[Any], on: list[Any], action: str = "sqs:SendMessage"
) -> str | None:
    def ready(statements: list[Any]) -> list[Statement]:
        return [Statement(raw, "test") for raw in statements]

    return decide(caller, action, QUEUE, ready(identity), ready(on), caller.context)


@pytest.mark.parametrize(
    ("identity", "on", "allowed"),
    [
        ([], [], False),
        ([allow("sqs:SendMessage", QUEUE)], [], True),
        ([allow("SQS:Send*", QUEUE)], [], True),
        ([allow("sqs:SendMessage", QUEUE.replace("mail", "Mail"))], [], False),
        ([allow("sqs:SendMessage", QUEUE + "-dead-letters")], [], False),
        ([allow("sqs:ReceiveMessage", QUEUE)], [], False),
        ([{"Effect": "Allow", "NotAction": "sqs:Receive*", "Resource": "*"}], [], True),
        ([allow("sqs:*"), deny("sqs:SendMessage", QUEUE)], [], False),
        ([allow("sqs:*")], [deny("sqs:*", Principal="*")], False),
        ([allow("sqs:*")], [deny("sqs:*", Principal={"Service": "sns.amazonaws.com"})], True),
        ([], [allow("sqs:*", Principal={"AWS": ROLE})], True),
        ([], [allow("sqs:*", Principal={"AWS": ROOT})], False),
        ([allow("sqs:*", Condition={"Bool": {"aws:SecureTransport": False}})], [], False),
        ([allow("sqs:*", Condition={"StringEquals": {"aws:SourceAccount": "000000000000"}})], [], False),
        ([allow("sqs:*", Condition={"StringEqualsIfExists": {"aws:SourceAccount": "1"}})], [], True),
        (
            [allow("sqs:*", Condition={"ArnLike": {"lambda:SourceFunctionArn": "arn:*:function:sender"}})],
            [],
            True,
        ),
        ([allow("sqs:*", Condition={"Null": {"aws:SourceArn": "true"}})], [], True),
    ],
)
def test_a_role_may_what_a_policy_allows_and_none_denies(
    identity: list[Any], on: list[Any], allowed: bool
) -> None:
    assert (verdict(SENDER, identity, on) is None) == allowed


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow("sqs:SendMessage", Principal={"Service": "sns.amazonaws.com"}), True),
        (allow("sqs:SendMessage", Principal={"Service": "s3.amazonaws.com"}), False),
        (allow("sqs:SendMessage", Principal={"AWS": ROOT}), False),
        (
            allow(
                "sqs:SendMessage",
                Principal={"Service": "sns.amazonaws.com"},
                Condition={"ArnEquals": {"aws:SourceArn": TOPIC}},
            ),
            True,
        ),
        (
            allow(
                "sqs:SendMessage",
                Principal={"Service": "sns.amazonaws.com"},
                Condition={"ArnEquals": {"aws:SourceArn": TOPIC + "2"}},
            ),
            False,
        ),
    ],
)
def test_a_service_needs_the_resource_s_own_policy(statement: Any, allowed: bool) -> None:
    assert (verdict(SNS, [allow("*")], [statement]) is None) == allowed


@pytest.mark.parametrize(
    "statement",
    [
        allow("sqs:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        allow("sqs:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
        allow("sqs:*", NotPrincipal={"AWS": ROLE}),
    ],
)
def test_what_is_not_understood_stops_the_start(statement: Any) -> None:
    with pytest.raises(AssemblyError):
        Statement(statement, "test")


def gate(tmp_path: Path, **grants: Any) -> Gate:
    return Gate(Grants(**grants), tmp_path / "denied.jsonl")


@pytest.mark.parametrize(
    ("actions", "key_policy", "lacks"),
    [
        (["kms:GenerateDataKey", "kms:Decrypt"], [allow("kms:*", Principal={"AWS": ROOT})], None),
        (["kms:Decrypt"], [allow("kms:*", Principal={"AWS": ROOT})], "kms:GenerateDataKey"),
        (["kms:GenerateDataKey"], [allow("kms:*", Principal={"AWS": ROOT})], "kms:Decrypt"),
        (["kms:GenerateDataKey", "kms:Decrypt"], [], "kms:GenerateDataKey"),
    ],
)
def test_whoever_sends_to_an_encrypted_queue_needs_its_key(
    tmp_path: Path, actions: list[str], key_policy: list[Any], lacks: str | None
) -> None:
    identity = {ROLE: [allow("sqs:SendMessage", QUEUE), allow(actions, KEY)]}
    checked = gate(tmp_path, identity=identity, on={KEY: key_policy}, keys={QUEUE: KEY})
    if lacks is None:
        checked.check(SENDER, "sqs:SendMessage", QUEUE)
        return
    with pytest.raises(Denied):
        checked.check(SENDER, "sqs:SendMessage", QUEUE)
    (line,) = [json.loads(line) for line in (tmp_path / "denied.jsonl").read_text().splitlines()]
    assert (line["caller"], line["action"], line["resource"]) == ("sender", lacks, KEY)


def test_sns_says_to_the_key_which_topic_it_encrypts_for(tmp_path: Path) -> None:
    mails, others = (f"arn:aws:sns:us-east-1:000000000000:{name}" for name in ("mails", "others"))
    condition = {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": mails}}
    service = {"Service": "ses.amazonaws.com"}
    on: dict[str, list[Any]] = {KEY: [allow("kms:*", Principal=service, Condition=condition)]}
    on |= {topic: [allow("sns:Publish", topic, Principal=service)] for topic in (mails, others)}
    checked = gate(tmp_path, on=on, keys={mails: KEY, others: KEY})
    ses = Caller("ses.amazonaws.com", "SES")
    assert checked.allows(ses, "sns:Publish", mails)
    assert not checked.allows(ses, "sns:Publish", others)


def test_every_denial_is_recorded_and_no_permission_is(tmp_path: Path) -> None:
    checked = gate(tmp_path, identity={ROLE: [allow("sqs:SendMessage", QUEUE)]})
    for _ in range(2):
        checked.check(SENDER, "sqs:SendMessage", QUEUE)
        with pytest.raises(Denied):
            checked.check(SENDER, "sqs:PurgeQueue", QUEUE)
    lines = [json.loads(line) for line in (tmp_path / "denied.jsonl").read_text().splitlines()]
    assert [(line["caller"], line["action"]) for line in lines] == [("sender", "sqs:PurgeQueue")] * 2


def test_a_policy_of_an_object_is_its_bucket_s_and_of_a_version_its_function_s(tmp_path: Path) -> None:
    bucket, function = "arn:aws:s3:::pictures", "arn:aws:lambda:us-east-1:000000000000:function:buy"
    on = {
        bucket: [deny("s3:*", bucket + "/uploads/*", Principal="*")],
        function: [
            allow("lambda:InvokeFunction", function + ":live", Principal={"Service": "sns.amazonaws.com"})
        ],
    }
    checked = gate(tmp_path, identity={ROLE: [allow("s3:GetObject")]}, on=on)
    assert checked.allows(SENDER, "s3:GetObject", bucket + "/public/1")
    assert not checked.allows(SENDER, "s3:GetObject", bucket + "/uploads/1")
    assert checked.allows(SNS, "lambda:InvokeFunction", function + ":live")
    assert not checked.allows(SNS, "lambda:InvokeFunction", function)


def call(service: str, operation: str, given: dict[str, Any]) -> Call:
    headers = {"x-amz-target": f"Service.{operation}"}
    return Call("POST", "/", headers, json.dumps(given).encode())


@pytest.mark.parametrize(
    ("service", "operation", "given", "needed"),
    [
        ("sqs", "SendMessageBatch", {"QueueUrl": "http://127.0.0.1:1/0/mail"}, ("sqs:SendMessage", QUEUE)),
        ("sqs", "GetQueueUrl", {"QueueName": "mail"}, ("sqs:GetQueueUrl", QUEUE)),
        ("states", "StartExecution", {"stateMachineArn": "arn:m"}, ("states:StartExecution", "arn:m")),
        ("states", "SendTaskSuccess", {"taskToken": "t"}, ("states:SendTaskSuccess", ANY_MACHINE)),
        (
            "ssm",
            "GetParameter",
            {"Name": "/box/x"},
            ("ssm:GetParameter", "arn:aws:ssm:us-east-1:000000000000:parameter/box/x"),
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "stripe"},
            (
                "secretsmanager:GetSecretValue",
                "arn:aws:secretsmanager:us-east-1:000000000000:secret:stripe-LOCAL1",
            ),
        ),
    ],
)
def test_a_call_needs_an_action_on_a_resource(
    service: str, operation: str, given: dict[str, Any], needed: tuple[str, str]
) -> None:
    assert needs(call(service, operation, given), service) == [needed]


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "/b/uploads/a%20b", b"", [("s3:GetObject", "arn:aws:s3:::b/uploads/a b")]),
        ("HEAD", "/b/k", b"", [("s3:GetObject", "arn:aws:s3:::b/k")]),
        ("PUT", "/b/k", b"x", [("s3:PutObject", "arn:aws:s3:::b/k")]),
        ("GET", "/b?list-type=2&prefix=x", b"", [("s3:ListBucket", "arn:aws:s3:::b")]),
        (
            "POST",
            "/b?delete",
            b"<Delete><Object><Key>1</Key></Object><Object><Key>2</Key></Object></Delete>",
            [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObject", "arn:aws:s3:::b/2")],
        ),
    ],
)
def test_a_call_of_s3_needs_an_action_on_each_object(
    method: str, path: str, body: bytes, needed: list[tuple[str, str]]
) -> None:
    assert needs(Call(method, path, {}, body), "s3") == needed


def test_publishing_a_batch_needs_to_publish() -> None:
    body = f"Action=PublishBatch&Version=2010-03-31&TopicArn={TOPIC.replace(':', '%3A')}&x=1".encode()
    assert needs(Call("POST", "/", {}, body), "sns") == [("sns:Publish", TOPIC)]


def test_a_mail_needs_the_sender_s_identity_and_the_configuration_set() -> None:
    given = {
        "FromEmailAddress": "Box Office <tickets@box.example>",
        "Content": {"Raw": {"Data": "eA=="}},
        "ConfigurationSetName": "ours",
    }
    path = "/v2/email/outbound-emails"
    assert needs(Call("POST", path, {}, json.dumps(given).encode()), "ses") == [
        ("ses:SendRawEmail", "arn:aws:ses:us-east-1:000000000000:identity/box.example"),
        ("ses:SendRawEmail", "arn:aws:ses:us-east-1:000000000000:configuration-set/ours"),
    ]


def test_a_call_that_nobody_knows_is_not_let_through() -> None:
    with pytest.raises(UnknownCall):
        needs(Call("PUT", "/bucket?policy", {}, b""), "s3")
    with pytest.raises(UnknownCall):
        needs(call("dynamodb", "GetItem", {}), "dynamodb")


def test_the_signer_is_read_from_the_header_and_from_a_signed_address() -> None:
    scope = "ASIAX/20260101/us-east-1/s3/aws4_request"
    header = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"}
    assert Call("GET", "/b/k", header, b"").signed == ("ASIAX", "s3")
    query = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + scope.replace("/", "%2F")
    assert Call("GET", query, {}, b"").signed == ("ASIAX", "s3")
    assert Call("GET", "/b/k", {}, b"").signed is None


def test_grants_are_the_template_s(tmp_path: Path) -> None:
    assembly = read(
        tmp_path,
        Role={"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
        Policy={
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyDocument": {"Statement": [allow("sqs:SendMessage", {"Fn::GetAtt": ["Queue", "Arn"]})]},
                "Roles": [{"Ref": "Role"}],
            },
        },
        Key={"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [allow("kms:*")]}}},
        Queue={
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "mail", "KmsMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        },
        OnQueue={
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Statement": [deny("sqs:*", Principal="*")]},
            },
        },
    )
    file = tmp_path / "permissions.json"
    assembly.grants.save(file)
    grants = Grants.load(file)
    assert grants.identity == {"arn:aws:iam::000000000000:role/main-Role": [allow("sqs:SendMessage", QUEUE)]}
    assert grants.on[QUEUE] == [deny("sqs:*", Principal="*")]
    assert grants.keys == {QUEUE: "arn:aws:kms:us-east-1:000000000000:key/main-Key"}
    (role,) = grants.identity
    assert grants.callers()[access_key(role_caller(role))].name == role
