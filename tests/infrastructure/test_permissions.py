"""What the roles may do: everything by name, and what has no name on a list with its reason."""

from typing import Any

import pytest

from tests.infrastructure.template import System, as_list, text_of

# Actions that IAM or the caller cannot tie to a resource.
UNNAMED = {
    # Lambda attaches a function to the VPC with the function's role; the function's own code is denied the same.
    "ec2:AssignPrivateIpAddresses": "network interfaces have no name before they exist",
    "ec2:CreateNetworkInterface": "network interfaces have no name before they exist",
    "ec2:DeleteNetworkInterface": "network interfaces have no name before they exist",
    "ec2:DescribeNetworkInterfaces": "EC2 has no resource for it",
    "ec2:DescribeSubnets": "EC2 has no resource for it",
    "ec2:UnassignPrivateIpAddresses": "network interfaces have no name before they exist",
    "xray:GetSamplingRules": "X-Ray has no resource for it",
    "xray:GetSamplingTargets": "X-Ray has no resource for it",
    "xray:PutTelemetryRecords": "X-Ray has no resource for it",
    "xray:PutTraceSegments": "X-Ray has no resource for it",
    # How a state machine has its log delivered.
    "logs:CreateLogDelivery": "CloudWatch Logs has no resource for it",
    "logs:DeleteLogDelivery": "CloudWatch Logs has no resource for it",
    "logs:DescribeLogGroups": "CloudWatch Logs has no resource for it",
    "logs:DescribeResourcePolicies": "CloudWatch Logs has no resource for it",
    "logs:GetLogDelivery": "CloudWatch Logs has no resource for it",
    "logs:ListLogDeliveries": "CloudWatch Logs has no resource for it",
    "logs:PutResourcePolicy": "CloudWatch Logs has no resource for it",
    "logs:UpdateLogDelivery": "CloudWatch Logs has no resource for it",
}

# Resources that have a wildcard: what they end in.
FAMILIES: dict[str, str | tuple[str, ...]] = {
    "ssm:GetParameter": ":parameter/box-office/dev/*",  # settings are no secrets, and the code names each it reads
    "lambda:InvokeFunction": ":*",  # the versions and aliases of a function that is named
    # Files that have a prefix in common, and exports, whose names begin with an id.
    "s3:GetObject": ("/uploads/*", ".json"),
    "s3:PutObject": ("/uploads/*", "/public/*", ".json"),
    "s3:DeleteObject": ("/uploads/*", "/public/*", ".json"),
}


def statements(system: System) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{policy.stack}/{policy.id}", statement)
        for policy in system.of_type("AWS::IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def test_no_policy_names_a_wildcard_for_a_resource_that_has_a_name(system: System) -> None:
    for where, statement in statements(system):
        if statement["Effect"] == "Allow" and "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= set(UNNAMED), where


def test_no_policy_has_a_wildcard_for_an_action(system: System) -> None:
    for where, statement in statements(system):
        assert not [action for action in as_list(statement["Action"]) if "*" in action], where


def test_a_resource_that_ends_in_a_wildcard_is_one_of_a_stated_family(system: System) -> None:
    for where, statement in statements(system):
        for resource in as_list(statement["Resource"]):
            text = text_of(resource)
            if text != "*" and "*" in text:
                for action in as_list(statement["Action"]):
                    assert text.endswith(FAMILIES[action]), where


def test_the_code_of_a_function_may_not_use_what_attaches_it_to_the_network(system: System) -> None:
    for function in system.functions.values():
        denied = [s for s in system.statements(function) if s["Effect"] == "Deny"]
        assert len(denied) == 1
        assert "ec2:CreateNetworkInterface" in denied[0]["Action"]
        named = text_of(denied[0]["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])
        assert named.endswith(f":function:{function.properties['FunctionName']}")


def test_a_function_signs_in_to_its_own_service_s_database_only(system: System) -> None:
    for handler, function in system.functions.items():
        users = {
            text_of(resource).rsplit("/", 1)[1]
            for statement in system.statements(function)
            if "rds-db:connect" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        is_auditor = handler == "functions.platform.jobs.audit.handler"
        assert users <= ({"auditor"} if is_auditor else {f"{handler.split('.')[1]}_app"})
        assert bool(users) == ("DATABASE_USER" in system.environment(function))


def test_only_what_reaches_the_servers_themselves_reads_the_administrator_s_password(system: System) -> None:
    readers = [
        h
        for h, f in system.functions.items()
        if any("ADMIN_SECRET" in name for name in system.environment(f))
    ]
    assert sorted(readers) == [
        "functions.platform.jobs.look_at_restored.handler",
        "functions.platform.jobs.migrate.handler",
    ]


@pytest.mark.parametrize("variable", ["STRIPE_SECRET_ARN", "PAYPAL_SECRET_ARN"])
def test_only_payments_reads_the_providers_keys(system: System, variable: str) -> None:
    readers = {h.split(".")[1] for h, f in system.functions.items() if variable in system.environment(f)}
    assert readers == {"payments"}


def test_only_notifications_reads_sendgrid_s_key(system: System) -> None:
    readers = [h for h, f in system.functions.items() if "SENDGRID_SECRET_ARN" in system.environment(f)]
    assert sorted(readers) == [
        "functions.notifications.consumers.mail.handler",
        "functions.notifications.routes.sendgrid_webhook.handler",
    ]


def test_whoever_knows_the_address_of_something_may_use_it(system: System) -> None:
    needed = {
        "TOPIC_ARN": "sns:Publish",
        "CACHE_HOST": "elasticache:Connect",
        "DATABASE_HOST": "rds-db:connect",
        "PURCHASE_STATE_MACHINE_ARN": "states:StartExecution",
        "SES_CONFIGURATION_SET": "ses:SendEmail",
    }
    for handler, function in system.functions.items():
        actions = {
            a for s in system.statements(function) if s["Effect"] == "Allow" for a in as_list(s["Action"])
        }
        for variable in system.environment(function):
            action = needed.get(variable)
            if variable.endswith("_SECRET_ARN"):
                action = "secretsmanager:GetSecretValue"
            if variable.startswith("QUEUE_"):
                action = "sqs:SendMessage"
            assert action is None or action in actions, (handler, variable)
