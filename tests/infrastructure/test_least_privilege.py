"""The template grants what is needed: decided as the laptop cloud decides it, and tried with a grant taken away."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.assembly import Assembly
from local.attributes import function_name
from local.permissions.gate import Denied, Gate
from local.permissions.grants import function_caller, role_caller
from local.permissions.policy import Caller
from local.permissions.sign_ins import sign_in
from local.resources import ACCOUNT, REGION
from tests.infrastructure.template import System, as_list
from tests.small_cloud import PLACES

RESERVE, MAIL = "box-office-dev-tickets-reserve", "box-office-dev-notifications-consumer-mail"
Statement = dict[str, Any]


class Checked:
    """An assembly, and what is denied in it."""

    def __init__(self, folder: Path, record: Path) -> None:
        self.assembly = Assembly.read(folder, PLACES)
        self.gate = Gate(self.assembly.grants, record)
        self._record = record

    @property
    def denied(self) -> list[tuple[str, str]]:
        if not self._record.exists():
            return []
        lines = [json.loads(line) for line in self._record.read_text().splitlines()]
        return [(line["caller"], line["action"]) for line in lines]

    def ask(self) -> None:
        """Everything that is known to be needed, from the template alone."""
        for caller, action, resource in self.needed():
            try:
                self.gate.check(caller, action, resource)
            except Denied:
                continue
        for function in self.assembly.functions.values():
            try:
                sign_in(self.gate, function)
            except Denied:
                continue

    def needed(self) -> Iterator[tuple[Caller, str, str]]:
        api, invoke = self.assembly.api, "lambda:InvokeFunction"
        assert api is not None
        for route in api.routes:
            if route.function is not None:
                source = (
                    f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/{api.stage}/{route.method}{route.path}"
                )
                yield Caller("apigateway.amazonaws.com", route.path, source), invoke, route.target
        assert api.authorizer is not None
        assert api.authorizer.role is not None
        yield role_caller(api.authorizer.role), invoke, api.authorizer.target
        for schedule in self.assembly.schedules:
            assert schedule.role is not None
            yield role_caller(schedule.role), invoke, schedule.target
        for machine in self.assembly.state_machines:
            for task in tasks(json.loads(machine.definition)):
                yield role_caller(machine.role), invoke, task
        yield from self.delivered()
        yield from self.told()

    def delivered(self) -> Iterator[tuple[Caller, str, str]]:
        """What AWS's services do with queues."""
        for mapping in self.assembly.event_sources:
            role = role_caller(self.assembly.functions[mapping.function].role)
            for action in (
                "ReceiveMessage",
                "DeleteMessage",
                "ChangeMessageVisibility",
                "GetQueueAttributes",
            ):
                yield role, f"sqs:{action}", mapping.queue_arn
        for subscription in self.assembly.subscriptions:
            sns = Caller("sns.amazonaws.com", "SNS", subscription.topic_arn)
            yield sns, "sqs:SendMessage", subscription.endpoint
        for bucket in self.assembly.buckets:
            for told in bucket.told:
                yield (
                    Caller("s3.amazonaws.com", "S3", f"arn:aws:s3:::{bucket.name}"),
                    "sqs:SendMessage",
                    told["QueueArn"],
                )

    def told(self) -> Iterator[tuple[Caller, str, str]]:
        """What the environment tells a function of."""
        queues = {f"{PLACES.aws_url}/{ACCOUNT}/{queue.name}": queue.arn for queue in self.assembly.queues}
        for function in self.assembly.functions.values():
            code = function_caller(function.name, function.role)
            for name, value in function.environment.items():
                if name.endswith("_SECRET_ARN"):
                    yield code, "secretsmanager:GetSecretValue", value
                elif name.startswith("QUEUE_"):
                    yield code, "sqs:SendMessage", queues[value]
                elif name == "TOPIC_ARN":
                    yield code, "sns:Publish", value
                elif name == "SETTINGS_PREFIX":
                    yield (
                        code,
                        "ssm:GetParameter",
                        f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{value}/hold_seconds",
                    )


def tasks(value: Any) -> Iterator[str]:
    """The functions that a state machine invokes."""
    if isinstance(value, dict):
        found = value.get("FunctionName") or value.get("Resource")
        if isinstance(found, str) and ":function:" in found:
            yield found
        for inner in value.values():
            yield from tasks(inner)


def test_everybody_may_do_what_is_needed(system: System, tmp_path: Path) -> None:
    checked = Checked(system.folder, tmp_path / "denied")
    checked.ask()
    assert not checked.denied
    asked = {action for _, action, _ in checked.needed()}
    assert len(asked) == 9, asked


def test_the_production_stage_grants_as_much(production: System, tmp_path: Path) -> None:
    checked = Checked(production.folder, tmp_path / "denied")
    checked.ask()
    assert not checked.denied


def of_function(name: str, action: str) -> Callable[[System, dict[str, Any]], None]:
    """Takes an action away from a function's role."""

    def take(system: System, templates: dict[str, Any]) -> None:
        function = next(f for f in system.functions.values() if f.properties["FunctionName"] == name)
        role = function.properties["Role"]["Fn::GetAtt"][0]
        for resource in templates[function.stack]["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]:
                strip(resource["Properties"]["PolicyDocument"], action)

    return take


def of_type(kind: str, action: str) -> Callable[[System, dict[str, Any]], None]:
    """Takes an action away from every policy of a type."""

    def take(_system: System, templates: dict[str, Any]) -> None:
        for template in templates.values():
            for id_, resource in list(template["Resources"].items()):
                if resource["Type"] == kind == "AWS::Lambda::Permission":
                    del template["Resources"][id_]
                elif resource["Type"] == kind:
                    properties = resource["Properties"]
                    strip(properties.get("PolicyDocument", properties.get("KeyPolicy")), action)

    return take


def strip(document: dict[str, Any], action: str) -> None:
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            statement["Action"] = [name for name in as_list(statement["Action"]) if name != action]


@pytest.mark.parametrize(
    ("take", "caller", "action"),
    [
        (of_function(RESERVE, "ssm:GetParameter"), RESERVE, "ssm:GetParameter"),
        (of_function(RESERVE, "rds-db:connect"), RESERVE, "rds-db:connect"),
        (of_function(RESERVE, "elasticache:Connect"), RESERVE, "elasticache:Connect"),
        (
            of_function(RESERVE, "ec2:CreateNetworkInterface"),
            "-ReserveRole",
            "ec2:CreateNetworkInterface",
        ),
        (of_function(RESERVE, "logs:PutLogEvents"), "-ReserveRole", "logs:PutLogEvents"),
        (of_function(MAIL, "sqs:ReceiveMessage"), "ConsumerMailRole", "sqs:ReceiveMessage"),
        (of_function(MAIL, "secretsmanager:GetSecretValue"), MAIL, "secretsmanager:GetSecretValue"),
        (
            of_function("box-office-dev-auth-register", "sns:Publish"),
            "box-office-dev-auth-register",
            "sns:Publish",
        ),
        (
            of_function("box-office-dev-auth-register", "kms:GenerateDataKey"),
            "register",
            "kms:GenerateDataKey",
        ),
        (of_type("AWS::SQS::QueuePolicy", "sqs:SendMessage"), "SNS", "sqs:SendMessage"),
        (of_type("AWS::KMS::Key", "kms:GenerateDataKey"), "SNS", "kms:GenerateDataKey"),
        (of_type("AWS::Lambda::Permission", ""), "/api/tickets/reserve", "lambda:InvokeFunction"),
    ],
)
def test_a_grant_that_is_taken_away_is_missed(
    system: System, tmp_path: Path, take: Callable[[System, dict[str, Any]], None], caller: str, action: str
) -> None:
    scratch = tmp_path / "cdk.out"
    scratch.mkdir()
    for file in system.folder.iterdir():
        if not file.name.endswith(".template.json"):
            (scratch / file.name).symlink_to(file)
    templates = json.loads(json.dumps(system.templates))
    take(system, templates)
    for stack, template in templates.items():
        (scratch / f"{stack}.template.json").write_text(json.dumps(template))
    checked = Checked(scratch, tmp_path / "denied")
    checked.ask()
    assert any(caller in who and missed == action for who, missed in checked.denied), checked.denied


def test_every_target_is_a_function_of_ours(system: System, tmp_path: Path) -> None:
    checked = Checked(system.folder, tmp_path / "denied")
    for _, action, resource in checked.needed():
        if action == "lambda:InvokeFunction":
            assert function_name(resource) in checked.assembly.functions
