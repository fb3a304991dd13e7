"""The stacks as a whole: their size, their order, what a deployment must not do."""

import json
import re
from pathlib import Path

import pytest

from local.assembly import Assembly
from local.resources import Address, Places
from tests.infrastructure.template import ROOT, System, text_of, walk


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


def test_what_a_release_takes_away_no_deployed_stack_imports(system: System, lesser: System) -> None:
    """Stacks are deployed in turn: one's exports are gone while those after it are still the release before."""
    removed = set(system.exports) - set(lesser.exports)
    imported = {stack: removed & system.imports(stack) for stack in system.templates}
    assert {stack: names for stack, names in imported.items() if names} == {}
    assert len(lesser.functions) == len(system.functions) - 4


def test_nothing_that_comes_and_goes_with_the_code_is_exported(system: System, production: System) -> None:
    stays = {"Alarms"}  # the topic: it is as old as the stage
    for stage in (system, production):
        exported = {(r.type, r.id[:-8]) for r in map(stage.export, stage.exports) if r.id[:-8] not in stays}
        fleeting = ("AWS::Lambda::", "AWS::SQS::", "AWS::SNS::", "AWS::SSM::", "AWS::Scheduler::")
        assert sorted(each for each in exported if each[0].startswith(fleeting)) == []


def test_what_is_known_by_its_name_is_deployed_before_those_who_name_it(
    system: System, production: System
) -> None:
    for stage in (system, production):
        before = stage.dependencies
        for resource in stage.resources:
            if resource.type == "AWS::IAM::Policy":
                continue  # a permission may be there first: services start the purchase, which stands on them
            for _, value in walk(resource.properties):
                named = stage.named(value) if isinstance(value, dict) and "Fn::Join" in value else []
                missing = {n.stack for n in named} - before[resource.stack] - {resource.stack}
                assert not missing, (resource, missing)


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


def test_what_production_keeps_goes_if_the_deployment_that_made_it_fails(
    system: System, production: System
) -> None:
    """Buckets and secrets have names: kept after a failed creation, they would be in the way of the next one."""
    kinds = ("AWS::S3::Bucket", "AWS::SecretsManager::Secret")
    for stage, kept in ((system, "Delete"), (production, "RetainExceptOnCreate")):
        bodies = [stage.templates[r.stack]["Resources"][r.id] for kind in kinds for r in stage.of_type(kind)]
        assert {body["DeletionPolicy"] for body in bodies} <= {kept, "Delete"}
        assert sum(body["DeletionPolicy"] == kept for body in bodies) >= 7
        for body in bodies:
            if body["DeletionPolicy"] == "RetainExceptOnCreate":
                assert body["UpdateReplacePolicy"] == "Retain"


def kept(system: System) -> set[tuple[str, str]]:
    """Stack and type of what stays when its stack is deleted. (A function takes its versions with it.)"""
    return {
        (stack, resource["Type"])
        for stack, template in system.templates.items()
        for resource in template["Resources"].values()
        if resource.get("DeletionPolicy", "Delete") != "Delete" and resource["Type"] != "AWS::Lambda::Version"
    }


def test_a_stage_whose_data_is_nobody_s_leaves_nothing_behind_that_costs(
    system: System, staging: System
) -> None:
    """What stays is the role by which API Gateway writes logs (an account has one, and other APIs may use it), and the
    document of flags, which the page deletes before.
    """
    for stage in (system, staging):
        assert kept(stage) == {
            ("Api", "AWS::ApiGateway::Account"),
            ("Api", "AWS::IAM::Role"),
            ("Delivery", "AWS::AppConfig::HostedConfigurationVersion"),
        }


def test_production_keeps_its_data_and_the_keys_to_it(production: System) -> None:
    types = {type for _, type in kept(production)}
    assert {"AWS::RDS::DBCluster", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::KMS::Key"} <= types
    keys = [
        resource
        for template in production.templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::KMS::Key"
    ]
    assert all(key["DeletionPolicy"] != "Delete" for key in keys)


def test_the_way_to_take_a_stage_down_empties_what_cannot_be_deleted_full(
    system: System, production: System
) -> None:
    """Buckets, and the profile of flags: AppConfig deletes none that has a version."""
    page = (ROOT / "docs" / "operations.md").read_text()
    part = page.split("## Taking a stage down\n")[1].split("\n## ")[0]
    assert part.index("delete-hosted-configuration-version") < part.index("cdk destroy")
    for stage, prefix in ((system, "box-office-dev-"), (production, "box-office-prod-")):
        for bucket in stage.of_type("AWS::S3::Bucket"):
            name = text_of(bucket.properties["BucketName"]).removeprefix(prefix).split("-")[0]
            assert re.search(rf"for bucket in [a-z ]*\b{name}\b", part), name
