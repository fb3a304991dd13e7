"""The AWS emulator: state machines that run and retry, mails as files, secrets by the template's ARN, deployment."""

import asyncio
import email
import json
import threading
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.assembly import Assembly
from local.deploy import Deployment, SettingError
from local.lambdas import LambdaHost
from local.ports import free_port
from local.resources import ACCOUNT, REGION, Function
from local.secret_store import SecretStore
from tests.small_cloud import add_asset, emulator, function, hosted, read, run

LAMBDA_PORT = free_port()
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:task"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
RETRY = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 1,
    "BackoffRate": 1,
    "MaxAttempts": 2,
    "JitterStrategy": "FULL",
}
TASK = """
    import os
    def handler(event, context):
        path = %r
        calls = int(open(path).read()) if os.path.exists(path) else 0
        open(path, "w").write(str(calls + 1))
        if "token" in event:
            open(path + ".token", "w").write(event["token"])
        if calls < event.get("failures", 0):
            raise ValueError("broken")
        return {"calls": calls + 1}
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Emulator"]:
    folder = tmp_path_factory.mktemp("aws")
    with emulator(folder, LAMBDA_PORT) as url:
        yield Emulator(url, folder)


class Emulator:
    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def client(self, service: str) -> Any:
        session = botocore.session.get_session()
        session.set_credentials("x", "y")
        config = Config(retries={"max_attempts": 0})
        return session.create_client(service, region_name=REGION, endpoint_url=self.url, config=config)

    def execute(self, state: dict[str, Any], given: dict[str, Any], **more: dict[str, Any]) -> str:
        machines, name = self.client("stepfunctions"), uuid.uuid4().hex
        definition = {"StartAt": "A", "States": {"A": state, **more}}
        arn = machines.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
        started = machines.start_execution(
            stateMachineArn=arn["stateMachineArn"], name=name, input=json.dumps(given)
        )
        execution: str = started["executionArn"]
        return execution

    def outcome(self, execution: str) -> dict[str, Any]:
        machines, deadline = self.client("stepfunctions"), time.monotonic() + 20
        while time.monotonic() < deadline:
            found: dict[str, Any] = machines.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.05)
        raise AssertionError("the execution did not end")


@asynccontextmanager
async def tasks(state: Path, aws: Emulator, **options: Any) -> AsyncIterator[LambdaHost]:
    task = function(state, "task", TASK % str(state / "calls"), **options)
    async with hosted(state, [task], aws_url=aws.url, port=LAMBDA_PORT) as host:
        yield host


def test_a_task_that_fails_is_tried_again(tmp_path: Path, aws: Emulator) -> None:
    async def scenario() -> None:
        async with tasks(tmp_path, aws):
            state = {"Type": "Task", "Resource": ARN, "Retry": [RETRY], "End": True}
            execution = await asyncio.to_thread(aws.execute, state, {"failures": 2})
            outcome = await asyncio.to_thread(aws.outcome, execution)
        assert (outcome["status"], json.loads(outcome["output"])) == ("SUCCEEDED", {"calls": 3})

    run(scenario())


def test_an_error_is_caught_by_its_type(tmp_path: Path, aws: Emulator) -> None:
    async def scenario() -> None:
        async with tasks(tmp_path, aws):
            catch = [{"ErrorEquals": ["ValueError"], "ResultPath": "$.error", "Next": "Caught"}]
            state = {"Type": "Task", "Resource": ARN, "Catch": catch, "End": True}
            caught = {"Type": "Pass", "End": True}
            execution = await asyncio.to_thread(aws.execute, state, {"failures": 9}, Caught=caught)
            outcome = await asyncio.to_thread(aws.outcome, execution)
        assert json.loads(outcome["output"])["error"]["Error"] == "ValueError"

    run(scenario())


@pytest.mark.parametrize("resource", [ARN, "arn:aws:states:::lambda:invoke"])
def test_a_refused_invocation_is_lambdas_too_many_requests(
    tmp_path: Path, aws: Emulator, resource: str
) -> None:
    async def scenario() -> None:
        async with tasks(tmp_path, aws, reserved_concurrency=0):
            state: dict[str, Any] = {"Type": "Task", "Resource": resource, "End": True}
            if resource != ARN:
                state["Parameters"] = {"FunctionName": ARN, "Payload": {}}
            outcome = await asyncio.to_thread(lambda: aws.outcome(aws.execute(state, {})))
        assert outcome["error"] == "Lambda.TooManyRequestsException"

    run(scenario())


def test_a_task_token_wakes_the_execution(tmp_path: Path, aws: Emulator) -> None:
    async def scenario() -> None:
        async with tasks(tmp_path, aws):
            state = {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {"FunctionName": ARN, "Payload": {"token.$": "$$.Task.Token"}},
                "TimeoutSecondsPath": "$.seconds",
                "End": True,
            }
            execution = await asyncio.to_thread(aws.execute, state, {"seconds": 10})
            token = tmp_path / "calls.token"
            while not token.exists() or not token.read_text():
                await asyncio.sleep(0.02)
            answer = {"taskToken": token.read_text(), "output": '{"outcome": "paid"}'}
            await asyncio.to_thread(lambda: aws.client("stepfunctions").send_task_success(**answer))
            outcome = await asyncio.to_thread(aws.outcome, execution)
        assert json.loads(outcome["output"]) == {"outcome": "paid"}

    run(scenario())


def test_a_name_is_started_once_however_many_start_it(aws: Emulator) -> None:
    machines = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5, "End": True}}})
    arn = machines.create_state_machine(name="once", definition=definition, roleArn=ROLE)["stateMachineArn"]

    def start() -> None:
        machines.start_execution(stateMachineArn=arn, name="order", input='{"orderId": "1"}')

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(machines.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_a_mail_is_a_file_with_its_envelope(aws: Emulator) -> None:
    mail = aws.client("sesv2")
    mail.create_email_identity(EmailIdentity="shop.example")
    raw = b"From: Shop <a@shop.example>\r\nTo: b@example.com\r\nSubject: Tickets\r\n\r\nHere they are.\r\n"
    send(mail, raw)
    (envelope,) = [json.loads(path.read_text()) for path in (aws.folder / "mails").glob("*.json")]
    (written,) = (aws.folder / "mails").glob("*.eml")
    assert (envelope["from"], envelope["to"]) == ("a@shop.example", ["b@example.com"])
    assert email.message_from_bytes(written.read_bytes())["Subject"] == "Tickets"


def test_a_fault_of_the_mail_provider_happens_as_often_as_ordered(aws: Emulator) -> None:
    mail = aws.client("sesv2")
    mail.create_email_identity(EmailIdentity="faulty.example")
    order = json.dumps([{"target": "ses", "mode": "error", "times": 1}]).encode()
    urllib.request.urlopen(
        urllib.request.Request(f"{aws.url}/_local/faults", data=order, method="PUT")
    ).close()
    raw = b"From: a@faulty.example\r\nTo: b@example.com\r\n\r\nx"
    with pytest.raises(ClientError):
        send(mail, raw, "a@faulty.example")
    send(mail, raw, "a@faulty.example")


def send(mail: Any, raw: bytes, source: str = "a@shop.example") -> None:
    content = {"Raw": {"Data": raw}}
    mail.send_email(FromEmailAddress=source, Destination={"ToAddresses": ["b@example.com"]}, Content=content)


KEEPER = """
    import os, boto3
    def handler(event, context):
        boto3.client("secretsmanager").put_secret_value(SecretId=os.environ["SECRET_ARN"], SecretString="made")
        boto3.client("ssm").put_parameter(Name="/a/keys", Value="public", Type="String", Overwrite=True)
"""


def test_what_a_trigger_makes_is_there_again_after_a_start(tmp_path: Path, aws: Emulator) -> None:
    add_asset(tmp_path / "out", "code", {"app.py": KEEPER.replace("\n    ", "\n")})
    assembly = read(tmp_path / "out", **_stack())
    secrets = SecretStore.open(tmp_path / "secrets.json", assembly.secrets)

    async def deploy() -> None:
        functions: list[Function] = list(assembly.functions.values())
        async with hosted(tmp_path, functions, aws_url=aws.url, port=LAMBDA_PORT) as host:
            deployment = Deployment(assembly, aws.url, tmp_path, secrets, {"hold": "7"})
            await deployment.create()
            await deployment.run_triggers(host)

    run(deploy())
    ssm, found = aws.client("ssm"), aws.client("secretsmanager")
    assert ssm.get_parameter(Name="/a/hold")["Parameter"]["Value"] == "7"
    assert found.get_secret_value(SecretId=assembly.secrets[0].arn)["SecretString"] == "made"
    assert SecretStore.open(tmp_path / "secrets.json", assembly.secrets).text("keys") == "made"

    ssm.delete_parameters(Names=["/a/hold", "/a/keys"])
    found.delete_secret(SecretId="keys", ForceDeleteWithoutRecovery=True)
    run(Deployment(assembly, aws.url, tmp_path, secrets).create())
    assert ssm.get_parameter(Name="/a/keys")["Parameter"]["Value"] == "public"
    assert ssm.get_parameter(Name="/a/hold")["Parameter"]["Value"] == "600"


def test_a_setting_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    add_asset(tmp_path / "out", "code", {"app.py": ""})
    assembly: Assembly = read(tmp_path / "out", **_stack())
    secrets = SecretStore.open(tmp_path / "secrets.json", assembly.secrets)
    with pytest.raises(SettingError, match="no setting hodl; there are hold, keys"):
        Deployment(assembly, "http://127.0.0.1:9", tmp_path, secrets, {"hodl": "7"})


@pytest.mark.parametrize("value", ["soon", "-5", "", "7s"])
def test_a_setting_takes_only_what_parameter_store_would(tmp_path: Path, value: str) -> None:
    add_asset(tmp_path / "out", "code", {"app.py": ""})
    assembly: Assembly = read(tmp_path / "out", **_stack())
    secrets = SecretStore.open(tmp_path / "secrets.json", assembly.secrets)
    with pytest.raises(SettingError, match=f"hold cannot be '{value}': a value like '600' is wanted"):
        Deployment(assembly, "http://127.0.0.1:9", tmp_path, secrets, {"hold": value})


def _stack() -> dict[str, dict[str, Any]]:
    properties = {
        "FunctionName": "keeper",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Timeout": 30,
        "Code": {"S3Key": "code.zip"},
        "Environment": {"Variables": {"SECRET_ARN": {"Ref": "Keys"}}},
    }
    hold = {"Name": "/a/hold", "Value": "600", "Type": "String", "AllowedPattern": "^[0-9]{1,9}$"}
    keys = {"Name": "/a/keys", "Value": "none", "Type": "String"}
    return {
        "Keeper": {"Type": "AWS::Lambda::Function", "Properties": properties},
        "Run": {"Type": "Custom::Trigger", "Properties": {"HandlerArn": {"Fn::GetAtt": ["Keeper", "Arn"]}}},
        "Keys": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "keys", "SecretString": "first"},
        },
        "Hold": {"Type": "AWS::SSM::Parameter", "Properties": hold},
        "Public": {"Type": "AWS::SSM::Parameter", "Properties": keys},
    }
