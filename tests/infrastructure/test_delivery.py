"""What a deployment changes, and how the new code comes into service."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk import flags
from tests.infrastructure.template import ROOT, Resource, System, text_of

LIVE = ":live"
GRADUAL = ("routes", "authorizers", "saga")


def alias_of(system: System, function: Resource) -> Resource:
    """The one alias of a function."""
    aliases = system.of_type("AWS::Lambda::Alias")
    (alias,) = [a for a in aliases if a.stack == function.stack and system.behind(a).id == function.id]
    return alias


def body_of(system: System, resource: Resource) -> dict[str, Any]:
    body: dict[str, Any] = system.templates[resource.stack]["Resources"][resource.id]
    return body


def test_every_function_has_an_alias_that_names_the_version_of_its_code(system: System) -> None:
    for function in system.functions.values():
        alias = alias_of(system, function)
        assert alias.properties["Name"] == "live"
        version = system.target(alias.stack, alias.properties["FunctionVersion"])
        assert system.target(version.stack, version.properties["FunctionName"]).id == function.id


def test_the_api_and_its_authorizer_call_aliases(system: System) -> None:
    methods = [m.properties["Integration"] for m in system.of_type("AWS::ApiGateway::Method")]
    uris = [integration["Uri"] for integration in methods if integration["Type"] == "AWS_PROXY"]
    uris += [a.properties["AuthorizerUri"] for a in system.of_type("AWS::ApiGateway::Authorizer")]
    for uri in uris:
        assert [named.type for named in system.named(uri)] == ["AWS::Lambda::Alias"]


def test_the_purchase_calls_aliases(system: System) -> None:
    (machine,) = system.of_type("AWS::StepFunctions::StateMachine")
    definition = text_of(machine.properties["DefinitionString"])
    tasks = {h.split(".")[3] for h in system.functions if ".saga." in h}
    assert {named.properties["Name"] for named in system.named(definition)} == {"live"}
    assert {
        system.behind(named).properties["Handler"].split(".")[3] for named in system.named(definition)
    } == tasks
    assert definition.count(":function:") == definition.count(":live")


def test_queues_and_schedules_call_aliases(system: System) -> None:
    for mapping in system.of_type("AWS::Lambda::EventSourceMapping"):
        assert system.called(mapping.stack, mapping.properties["FunctionName"])
    for schedule in system.of_type("AWS::Scheduler::Schedule"):
        target = system.target(schedule.stack, schedule.properties["Target"]["Arn"])
        assert target.type == "AWS::Lambda::Alias"
    for setting in system.of_type("AWS::Lambda::EventInvokeConfig"):
        assert system.called(setting.stack, setting.properties["Qualifier"])


def test_a_function_that_calls_another_one_may_call_its_alias_only(system: System) -> None:
    for function in system.functions.values():
        for statement in system.statements(function):
            if "lambda:InvokeFunction" in statement["Action"]:
                assert text_of(statement["Resource"]).endswith(LIVE)


def test_production_moves_what_somebody_waits_for_little_by_little(production: System) -> None:
    for handler, function in production.functions.items():
        policy = body_of(production, alias_of(production, function)).get("UpdatePolicy", {})
        assert ("CodeDeployLambdaAliasUpdate" in policy) == (handler.split(".")[2] in GRADUAL), handler


def test_a_repair_can_be_deployed_past_the_alarms_that_it_is_to_end(
    production: System, repair: System
) -> None:
    """CodeDeploy begins nothing while an alarm of its rings; nothing else of the stage is otherwise than always."""
    assert not [r for r in repair.resources if "UpdatePolicy" in body_of(repair, r)]
    for stack, template in production.templates.items():
        without_policies = {
            id: {key: value for key, value in body.items() if key != "UpdatePolicy"}
            for id, body in template["Resources"].items()
        }
        assert repair.templates[stack]["Resources"] == without_policies, stack


def test_every_canary_is_rolled_back_by_the_new_version_s_errors_and_by_the_api_s(production: System) -> None:
    groups = production.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert groups
    for group in groups:
        properties = group.properties
        assert properties["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert properties["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
        assert properties["AlarmConfiguration"]["Enabled"] is True
        alarms = [
            production.target(group.stack, a["Name"]) for a in properties["AlarmConfiguration"]["Alarms"]
        ]
        seen = {alarm.properties["MetricName"]: alarm.properties["Dimensions"] for alarm in alarms}
        assert set(seen) == {"Errors", "5XXError"}
        dimensions = {d["Name"]: d["Value"] for d in seen["Errors"]}
        name = properties["DeploymentGroupName"]
        assert (dimensions["FunctionName"], dimensions["Resource"]) == (name, f"{name}:live")
        assert production.target(group.stack, dimensions["ExecutedVersion"]).type == "AWS::Lambda::Version"
        assert seen["5XXError"] == [{"Name": "ApiName", "Value": "box-office-prod"}]


def test_the_api_is_called_what_the_alarm_takes_it_for(production: System) -> None:
    (api,) = production.of_type("AWS::ApiGateway::RestApi")
    assert api.properties["Name"] == "box-office-prod"


def test_development_deploys_at_once(system: System) -> None:
    assert not system.of_type("AWS::CodeDeploy::DeploymentGroup")


def test_production_keeps_the_versions_that_one_may_go_back_to(system: System, production: System) -> None:
    for stage, policy in ((system, "Delete"), (production, "Retain")):
        for function in stage.functions.values():
            alias = alias_of(stage, function)
            version = body_of(stage, stage.target(alias.stack, alias.properties["FunctionVersion"]))
            assert version.get("DeletionPolicy", "Delete") == policy


HOT = 1024


def test_production_keeps_hot_routes_and_the_authorizer_warm_and_development_nothing(
    system: System, production: System
) -> None:
    for handler, function in production.functions.items():
        alias = alias_of(production, function).properties
        is_hot = function.properties["MemorySize"] == HOT and handler.split(".")[2] in (
            "routes",
            "authorizers",
        )
        assert ("ProvisionedConcurrencyConfig" in alias) == is_hot, handler
    for function in system.functions.values():
        assert "ProvisionedConcurrencyConfig" not in alias_of(system, function).properties


def reserved(stage: System) -> dict[str, int]:
    found = {h: f.properties.get("ReservedConcurrentExecutions") for h, f in stage.functions.items()}
    return {handler: share for handler, share in found.items() if share is not None}


def test_concurrency_is_reserved_where_something_must_be_spared_and_the_account_has_enough(
    system: System, production: System
) -> None:
    shares = reserved(production)
    assert shares["functions.platform.jobs.migrate.handler"] == 1
    for task in ("charge", "cancel_payment", "refund_payment"):
        assert 1 <= shares[f"functions.payments.saga.{task}.handler"] <= 50, (
            "Stripe admits 100 requests a second"
        )
    assert (
        sum(shares.values())
        + sum(
            alias.properties.get("ProvisionedConcurrencyConfig", {}).get("ProvisionedConcurrentExecutions", 0)
            for alias in production.of_type("AWS::Lambda::Alias")
        )
        <= 1000 - 100
    )
    assert not reserved(system), "a new account has 10, and Lambda keeps 100 for everybody"


def test_only_functions_that_ask_for_flags_have_appconfig_s_extension(system: System) -> None:
    for handler, function in system.functions.items():
        layers = [layer for layer in function.properties["Layers"] if isinstance(layer, str)]
        ours = [layer for layer in layers if ":layer:AWS-AppConfig-Extension-Arm64:" in layer]
        assert len(ours) == ("FLAGS_PATH" in system.environment(function)), handler


def test_every_route_that_writes_asks_for_flags(system: System) -> None:
    for method in system.of_type("AWS::ApiGateway::Method"):
        if method.properties["HttpMethod"] in ("POST", "PUT", "PATCH", "DELETE"):
            function = system.called(method.stack, method.properties["Integration"]["Uri"])
            assert "FLAGS_PATH" in system.environment(function)


def test_flags_spread_gradually_in_production_and_come_back_by_an_alarm(
    system: System, production: System
) -> None:
    (environment,) = production.of_type("AWS::AppConfig::Environment")
    (monitor,) = environment.properties["Monitors"]
    assert production.target(environment.stack, monitor["AlarmArn"]).properties["MetricName"] == "5XXError"
    for stage, minutes in ((system, 0), (production, 10)):
        (deployment,) = stage.of_type("AWS::AppConfig::Deployment")
        strategy = stage.target(deployment.stack, deployment.properties["DeploymentStrategyId"])
        assert strategy.properties["DeploymentDurationInMinutes"] == minutes


def test_what_appconfig_admits_is_what_the_code_declares(system: System) -> None:
    (profile,) = system.of_type("AWS::AppConfig::ConfigurationProfile")
    (validator,) = profile.properties["Validators"]
    assert validator["Type"] == "JSON_SCHEMA"
    assert json.loads(validator["Content"]) == flags.schema()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the templates are made of, in a folder where it can be changed."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("cdk", "functions", "layers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, folder)
    return folder


PROGRAM = """
import json, aws_cdk, app
context = json.load(open("cdk.json"))["context"]
context |= {"dependencies": "skip", "@aws-cdk/core:validateAgainstDefaultRules": False}
# As the command line says it: the API's deployment is named for all that it holds, metadata too.
context |= {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
made = aws_cdk.App(analytics_reporting=False, outdir="out", context=context)
app.build(made)
made.synth()
"""


def synthesized(copy: Path) -> System:
    """The templates of the copy as it is now, without the command line and its validation."""
    quiet = {"PYTHONPATH": str(copy), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=copy, env=os.environ | quiet, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return System(copy / "out", said="")


def changed(before: System, after: System) -> list[str]:
    """Every resource whose properties are others, by its stack, type and name."""
    return [
        f"{resource.stack} {resource.type} {resource.properties.get('FunctionName', '')}".split(" {")[
            0
        ].strip()
        for resource in after.resources
        if before.templates[resource.stack]["Resources"].get(resource.id, {}).get("Properties", {})
        != resource.properties
    ]


@pytest.mark.timeout(900)
def test_a_diff_deploys_the_function_whose_route_was_changed_and_the_migrations_whose_sql_was(
    system: System, copy: Path
) -> None:
    for file, line in (
        ("functions/tickets/routes/reserve.py", "# changed"),
        ("functions/tickets/migrations/0001_initial.sql", "-- changed"),
    ):
        (copy / file).write_text((copy / file).read_text() + line + "\n")

    changes = changed(system, synthesized(copy))

    assert sorted(changes) == [
        "Migrations AWS::Lambda::Alias",
        "Migrations AWS::Lambda::Alias",
        "Migrations AWS::Lambda::Function box-office-dev-platform-job-look-at-restored",  # has the SQL, too
        "Migrations AWS::Lambda::Function box-office-dev-platform-job-migrate",
        "Migrations AWS::Lambda::Version",
        "Migrations AWS::Lambda::Version",
        "Migrations Custom::Trigger",  # so the migrations run
        "Tickets AWS::Lambda::Alias",
        "Tickets AWS::Lambda::Function box-office-dev-tickets-reserve",
        "Tickets AWS::Lambda::Version",
    ]
