"""The stacks as a whole: their size, their order, what a deployment must not do."""

import json
from pathlib import Path

import pytest

from local.assembly import Assembly
from local.resources import Address, Places
from tests.infrastructure.template import System


def test_synthesis_has_nothing_to_complain_of(system: System) -> None:
    complaints = ("warning", "error", "deprecated", "not configured", "end-of-life")
    assert not [line for line in system.said.lower().splitlines() if any(word in line for word in complaints)]


def test_no_stack_comes_near_the_500_resources_that_cloudformation_admits(system: System) -> None:
    sizes = {stack: len(template["Resources"]) for stack, template in system.templates.items()}
    assert max(sizes.values()) < 450, sizes


def test_a_template_without_its_dependencies_refuses_to_be_deployed(system: System) -> None:
    with_layers = {layer.stack for layer in system.of_type("AWS::Lambda::LayerVersion")}
    assert with_layers == {function.stack for function in system.functions.values()}
    for stack in with_layers:
        (assertion,) = system.templates[stack]["Rules"]["DependenciesAreInstalled"]["Assertions"]
        assert assertion["Assert"] == {"Fn::Equals": ["skipped", "installed"]}


def test_the_laptop_cloud_knows_every_resource_and_every_intrinsic(system: System) -> None:
    nowhere = Address("127.0.0.1", 1)
    places = Places("http://127.0.0.1:1", "http://127.0.0.1:1", database=nowhere, cache=nowhere)
    assembly = Assembly.read(system.folder, places)
    assert set(assembly.functions) == {f.properties["FunctionName"] for f in system.functions.values()}


@pytest.mark.parametrize("service", ["Auth", "Events", "Tickets", "Payments", "Notifications", "Platform"])
def test_databases_are_migrated_before_a_service_s_functions_are_replaced(
    system: System, service: str
) -> None:
    manifest = json.loads(Path(system.folder / "manifest.json").read_text())
    assert "Migrations" in manifest["artifacts"][service]["dependencies"]


def test_stages_have_no_name_in_common(system: System, production: System) -> None:
    names = [
        {f.properties["FunctionName"] for f in stage.functions.values()}
        | {q.properties["QueueName"] for q in stage.of_type("AWS::SQS::Queue")}
        | {p.properties["Name"] for p in stage.of_type("AWS::SSM::Parameter")}
        for stage in (system, production)
    ]
    assert not names[0] & names[1]


def test_secrets_in_the_template_hold_nothing(system: System) -> None:
    for secret in system.of_type("AWS::SecretsManager::Secret"):
        text = secret.properties.get("SecretString")
        if text is None:
            assert secret.properties["GenerateSecretString"]["PasswordLength"] >= 30
        else:
            assert set(map(json.dumps, json.loads(text).values())) <= {'""', "[]"}
