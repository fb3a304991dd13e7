"""The template decides what runs on a laptop, and nothing in it is dropped in silence."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.assembly import Assembly, AssemblyError
from local.intrinsics import Intrinsics
from local.resources import ACCOUNT
from tests.small_cloud import PLACES, add_asset, read, write_assembly

PLACE = f"us-east-1:{ACCOUNT}"
RESOURCES = {
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "mail"}},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "tickets"}},
    "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "keys"}},
    "Proxy": {"Type": "AWS::RDS::DBProxy", "Properties": {}},
    "Server": {"Type": "AWS::RDS::DBInstance", "Properties": {}},
    "Cache": {"Type": "AWS::ElastiCache::ServerlessCache", "Properties": {}},
    "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
    "Setting": {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/a/hold", "Value": "5", "Type": "String"},
    },
}
API_URL = [
    "",
    [
        "https://",
        {"Ref": "Api"},
        ".execute-api.",
        {"Ref": "AWS::Region"},
        ".",
        {"Ref": "AWS::URLSuffix"},
        "/dev/",
    ],
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Ref": "Queue"}, f"{PLACES.aws_url}/{ACCOUNT}/mail"),
        ({"Ref": "Topic"}, f"arn:aws:sns:{PLACE}:tickets"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, f"arn:aws:sqs:{PLACE}:mail"),
        ({"Fn::GetAtt": "Queue.QueueName"}, "mail"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        (
            {"Fn::Sub": "${AWS::Region}/${Queue.Arn}/${!kept}"},
            f"us-east-1/arn:aws:sqs:{PLACE}:mail/${{kept}}",
        ),
        ({"Fn::Sub": ["${who} buys", {"who": {"Ref": "AWS::Region"}}]}, "us-east-1 buys"),
        ({"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]}, "mail"),
        ({"Fn::ImportValue": "other:Port"}, "1234"),
        ({"Fn::GetStackOutput": {"StackName": "other", "OutputName": "Port"}}, "1234"),
        ({"Fn::FindInMap": ["Sizes", "dev", "memory"]}, "512"),
        ({"Fn::ToJsonString": {"a": {"Ref": "AWS::Partition"}}}, '{"a": "aws"}'),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Ref": "Given"}, "default"),
        ({"Ref": "Looked"}, "5"),
        ("{{resolve:ssm:/a/hold}}", "5"),
    ],
)
def test_an_intrinsic_function_is_resolved(value: Any, expected: Any) -> None:
    assert intrinsics().value("main", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::GetAtt": ["Proxy", "Endpoint"]}, "127.0.0.1"),
        ({"Fn::GetAtt": ["Server", "Endpoint.Port"]}, "5433"),
        ({"Fn::GetAtt": ["Cache", "Endpoint.Address"]}, "127.0.0.1"),
        ({"Fn::GetAtt": ["Cache", "Endpoint.Port"]}, "6380"),
        ({"Fn::Join": API_URL}, "http://127.0.0.1:8080"),
        ({"Fn::Join": ["", [{"Fn::Join": API_URL}, "/api/health"]]}, "http://127.0.0.1:8080/api/health"),
    ],
)
def test_addresses_are_those_of_this_machine(value: Any, expected: str) -> None:
    assert intrinsics().value("main", value) == expected


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"Fn::Cidr": ["10.0.0.0/16", 2]}, "Fn::Cidr"),
        ({"Fn::If": ["IsProd", 1, 2]}, "Fn::If"),
        ({"Ref": "Nothing"}, "Nothing"),
        ({"Fn::GetAtt": ["Nothing", "Arn"]}, "Nothing"),
        ({"Fn::ImportValue": "nobody:exports"}, "nobody:exports"),
        ("{{resolve:ssm:/not/there}}", "/not/there"),
    ],
)
def test_what_cannot_be_resolved_is_an_error_that_names_it(value: Any, name: str) -> None:
    with pytest.raises(AssemblyError, match=name):
        intrinsics().value("main", value)


def test_a_resource_of_an_unknown_type_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"main/Table \(AWS::DynamoDB::Table\)"):
        read(tmp_path, Table={"Type": "AWS::DynamoDB::Table"})


def test_a_resource_under_a_condition_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="main/Queue depends on a condition"):
        read(tmp_path, Queue={"Type": "AWS::SQS::Queue", "Condition": "IsProd"})


def test_a_function_has_what_the_template_says(tmp_path: Path) -> None:
    add_asset(tmp_path, "code", {"app.py": ""})
    add_asset(tmp_path, "ours", {"python/shared/__init__.py": ""})
    add_asset(tmp_path, "theirs", {"python/pydantic-1.dist-info/METADATA": ""})
    layers = {id_: layer(id_) for id_ in ("ours", "theirs")}
    found = read(
        tmp_path, Reserve=a_function(Layers=[{"Ref": "ours"}, {"Ref": "theirs"}]), **layers, **RESOURCES
    )
    reserve = found.functions["reserve"]
    assert (reserve.handler, reserve.timeout, reserve.memory) == ("app.handler", 7.0, 512)
    assert reserve.environment == {"QUEUE": f"{PLACES.aws_url}/{ACCOUNT}/mail"}
    assert reserve.code == tmp_path / "asset.code"
    assert reserve.layers == [tmp_path / "asset.ours" / "python"]


def test_a_variable_that_nothing_local_can_give_is_an_error(tmp_path: Path) -> None:
    add_asset(tmp_path, "code", {"app.py": ""})
    environment = {"Variables": {"HOST": {"Fn::GetAtt": ["Proxy", "VpcId"]}}}
    with pytest.raises(AssemblyError, match="the variable HOST"):
        read(tmp_path, Reserve=a_function(Environment=environment), **RESOURCES)


def test_code_that_is_not_in_the_assembly_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="no unpacked code"):
        read(tmp_path, Reserve=a_function(), **RESOURCES)


def test_queues_subscriptions_and_consumers_are_read(tmp_path: Path) -> None:
    subscription = {
        "Protocol": "sqs",
        "TopicArn": {"Ref": "Topic"},
        "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
        "RawMessageDelivery": True,
        "FilterPolicy": {"type": ["a.v1"]},
    }
    mapping = {
        "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
        "FunctionName": f"arn:aws:lambda:{PLACE}:function:mailer",
        "BatchSize": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    found = read(
        tmp_path,
        Subscription={"Type": "AWS::SNS::Subscription", "Properties": subscription},
        Mapping={"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
        **RESOURCES,
    )
    assert found.subscriptions[0].attributes == {
        "RawMessageDelivery": "true",
        "FilterPolicy": '{"type": ["a.v1"]}',
    }
    source = found.event_sources[0]
    assert (source.queue, source.function, source.batch_size) == ("mail", "mailer", 5)
    assert source.partial_failures


def test_triggers_follow_the_order_of_the_stacks(tmp_path: Path) -> None:
    def stack(function: str) -> dict[str, Any]:
        return {"Resources": {"Run": {"Type": "Custom::Trigger", "Properties": {"HandlerArn": function}}}}

    stacks = {"tickets": stack("make-keys"), "migrations": stack("migrate")}
    folder = write_assembly(tmp_path, stacks, after={"tickets": ["migrations"]})
    triggers = Assembly.read(folder, PLACES).triggers
    assert [trigger.function for trigger in triggers] == ["migrate", "make-keys"]


def test_a_missing_assembly_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="run cdk synth first"):
        Assembly.read(tmp_path, PLACES)


def intrinsics() -> Intrinsics:
    other = {
        "Outputs": {"Port": {"Value": {"Fn::Join": ["", ["12", "34"]]}, "Export": {"Name": "other:Port"}}}
    }
    main = {
        "Resources": RESOURCES,
        "Mappings": {"Sizes": {"dev": {"memory": "512"}}},
        "Parameters": {
            "Given": {"Type": "String", "Default": "default"},
            "Looked": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/hold"},
        },
    }
    return Intrinsics(json.loads(json.dumps({"main": main, "other": other})), PLACES)


def a_function(**properties: Any) -> dict[str, Any]:
    standard = {
        "FunctionName": "reserve",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Timeout": 7,
        "MemorySize": 512,
        "Code": {"S3Bucket": "assets", "S3Key": "code.zip"},
        "Environment": {"Variables": {"QUEUE": {"Ref": "Queue"}}},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": standard | properties}


def layer(key: str) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Key": f"{key}.zip"}}}
