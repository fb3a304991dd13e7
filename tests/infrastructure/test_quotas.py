"""What AWS admits at most, held against every stage: a deployment that is refused half way is the worst kind.

Each figure is AWS's own; those that can be raised are judged by what an account has on its first day.
"""

import json
import re
from typing import Any

import pytest

from tests.infrastructure.template import System

STAGES = ("system", "staging", "production")

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
RESOURCES, OUTPUTS, PARAMETERS, TEMPLATE_BYTES, DESCRIPTION_BYTES = 500, 200, 200, 1_000_000, 1_024
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
VARIABLES_BYTES, CODE_BYTES, LAYERS = 4_096, 250_000_000, 5
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: characters that are no white space
INLINE_POLICIES, TRUST_POLICY = 10_240, 2_048
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html, likewise SNS's
QUEUE_POLICY_BYTES, TOPIC_POLICY_BYTES, KEY_POLICY_BYTES = 8_192, 30_720, 32_768
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
API_RESOURCES, API_SECONDS = 300, 29
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
DEFINITION_BYTES = 1_048_576
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
WIDGETS = 500


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> System:
    """Each stage in turn."""
    found: System = request.getfixturevalue(request.param)
    return found


def test_stacks_stay_below_what_cloudformation_admits(stage: System) -> None:
    for name, template in stage.templates.items():
        file = stage.folder / f"{name}.template.json"
        assert len(template["Resources"]) < 0.9 * RESOURCES, name
        assert len(template.get("Outputs", {})) < 0.9 * OUTPUTS, name
        assert len(template.get("Parameters", {})) < PARAMETERS, name
        assert file.stat().st_size < 0.9 * TEMPLATE_BYTES, name


def test_functions_stay_below_what_lambda_admits(stage: System) -> None:
    for function in stage.of_type("AWS::Lambda::Function"):
        properties = function.properties
        variables = properties.get("Environment", {}).get("Variables", {})
        assert sum(len(name) + _length(value) for name, value in variables.items()) < VARIABLES_BYTES, (
            function.id
        )
        assert len(properties.get("Layers", [])) <= LAYERS
        assert len(properties.get("FunctionName", "")) <= 64


def test_a_function_and_its_layers_unpacked_are_below_what_lambda_admits(system: System) -> None:
    """The third-party layer's part is measured on what this machine has installed from the same lock."""
    from tests.infrastructure.bare import third_party

    dependencies = _bytes_in(third_party())
    for function in system.functions.values():
        layers = [
            system.target(function.stack, layer)
            for layer in function.properties["Layers"]
            if isinstance(layer, dict)
        ]
        ours = sum(_bytes_in(system.folder / layer.zip) for layer in layers)
        assert _bytes_in(system.folder / function.zip) + ours + dependencies < 0.8 * CODE_BYTES, function.id


def test_policies_stay_below_what_iam_admits(stage: System) -> None:
    inline: dict[tuple[str, str], int] = {}
    for policy in stage.of_type("AWS::IAM::Policy"):
        for role in policy.properties.get("Roles", []):
            place = (policy.stack, json.dumps(role))
            inline[place] = inline.get(place, 0) + _length(policy.properties["PolicyDocument"])
    assert max(inline.values()) < INLINE_POLICIES
    for role in stage.of_type("AWS::IAM::Role"):
        assert _length(role.properties["AssumeRolePolicyDocument"]) < TRUST_POLICY


@pytest.mark.parametrize(
    ("type", "property", "limit"),
    [
        ("AWS::SQS::QueuePolicy", "PolicyDocument", QUEUE_POLICY_BYTES),
        ("AWS::SNS::TopicPolicy", "PolicyDocument", TOPIC_POLICY_BYTES),
        ("AWS::KMS::Key", "KeyPolicy", KEY_POLICY_BYTES),
    ],
)
def test_policies_of_resources_stay_below_what_their_service_admits(
    stage: System, type: str, property: str, limit: int
) -> None:
    assert stage.of_type(type)
    for resource in stage.of_type(type):
        assert _length(resource.properties[property]) < limit, resource.id


def test_the_api_stays_below_what_api_gateway_admits(stage: System) -> None:
    assert len(stage.of_type("AWS::ApiGateway::Resource")) < 0.9 * API_RESOURCES
    handlers = {f.properties["Handler"]: f.properties["Timeout"] for f in stage.functions.values()}
    routes = {handler: seconds for handler, seconds in handlers.items() if ".routes." in handler}
    assert max(routes.values()) <= API_SECONDS


def test_the_purchase_s_definition_stays_below_what_step_functions_admits(stage: System) -> None:
    for machine in stage.of_type("AWS::StepFunctions::StateMachine"):
        assert _length(machine.properties["DefinitionString"]) < DEFINITION_BYTES


def test_alarms_and_dashboards_stay_below_what_cloudwatch_admits(stage: System) -> None:
    for alarm in stage.of_type("AWS::CloudWatch::Alarm"):
        assert _length(alarm.properties.get("AlarmDescription", "")) <= DESCRIPTION_BYTES
    for dashboard in stage.of_type("AWS::CloudWatch::Dashboard"):
        assert json.dumps(dashboard.properties["DashboardBody"]).count('\\"type\\"') < WIDGETS


def _length(value: Any) -> int:
    """How long a value is at most once its references are resolved: an ARN has about 120 characters."""
    if isinstance(value, str):
        return len(re.sub(r"\s", "", value))
    if isinstance(value, dict) and ({"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::Sub"} & set(value)):
        return 120
    if isinstance(value, dict) and "Fn::Join" in value:
        return sum(_length(part) for part in value["Fn::Join"][1])
    if isinstance(value, dict):
        return sum(len(key) + 4 + _length(inner) for key, inner in value.items()) + 2
    if isinstance(value, list):
        return sum(_length(inner) + 1 for inner in value) + 2
    return len(json.dumps(value))


def _bytes_in(folder: Any) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
