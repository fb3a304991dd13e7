"""Functions that call AWS: what their role allows is done, and what it does not is denied as on AWS, and recorded."""

import asyncio
import json
import socket
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from local.permissions.gate import Gate
from local.permissions.grants import Grants, access_key, role_caller
from local.permissions.policy import ROOT, Caller
from local.ports import free_port
from local.queues import QueueConsumers
from local.resources import ACCOUNT, REGION, EventSource
from tests.gallery import post_form
from tests.small_cloud import emulator, function, hosted, run

AWS_PORT, LAMBDA_PORT = free_port(), free_port()
URL = f"http://127.0.0.1:{AWS_PORT}"
PLACE = f"{REGION}:{ACCOUNT}"
QUEUE, SECRETIVE = f"arn:aws:sqs:{PLACE}:mail", f"arn:aws:sqs:{PLACE}:secretive"
TOPIC, KEY = f"arn:aws:sns:{PLACE}:news", f"arn:aws:kms:{PLACE}:key/one"
SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:stripe-LOCAL1"
MACHINE = f"arn:aws:states:{PLACE}:stateMachine:buy"
BUCKET = "arn:aws:s3:::pictures"
ROLES = {name: f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("trusted", "forgotten", "machine", "idle")}

# Runs what it is asked to with the credentials of its environment, and says how that ended.
CODE = """
    import json, os, urllib.request
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    def handler(event, context):
        if "extension" in event:
            request = urllib.request.Request(
                f"http://127.0.0.1:{os.environ['PARAMETERS_SECRETS_EXTENSION_HTTP_PORT']}{event['extension']}",
                headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
            )
            try:
                return {"done": json.load(urllib.request.urlopen(request))}
            except urllib.error.HTTPError as error:
                return {"denied": json.load(error)["__type"]}
        if "environment" in event:
            return {"done": {name: os.environ.get(name) for name in event["environment"]}}
        signature = "s3v4" if event["service"] == "s3" else None
        client = boto3.client(event["service"], config=Config(signature_version=signature))
        try:
            answer = getattr(client, event["call"])(**event.get("with", {}))
        except ClientError as error:
            return {"denied": error.response["Error"]["Code"]}
        return {"done": answer if event["call"].startswith("generate") else True}
"""


def allow(actions: list[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def lets(service: str, action: str, resource: str, source: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }


LOGS = allow(["logs:PutLogEvents"], "*")
GRANTS = Grants(
    identity={
        ROLES["trusted"]: [
            LOGS,
            allow(["sqs:SendMessage", "sqs:GetQueueUrl"], QUEUE, SECRETIVE),
            allow(["sns:Publish"], TOPIC),
            allow(["ssm:GetParameter"], f"arn:aws:ssm:{PLACE}:parameter/box/*"),
            allow(["secretsmanager:GetSecretValue"], SECRET),
            allow(["states:StartExecution", "states:SendTaskSuccess"], MACHINE),
            allow(["s3:GetObject"], f"{BUCKET}/*"),
            allow(["s3:PutObject"], f"{BUCKET}/uploads/*"),
            allow(["ses:SendRawEmail"], f"arn:aws:ses:{PLACE}:identity/box.example"),
            allow(["lambda:InvokeFunction"], f"arn:aws:lambda:{PLACE}:function:idle"),
            allow(["rds-db:connect"], f"arn:aws:rds-db:{PLACE}:dbuser:proxy/tickets_app"),
            allow(["elasticache:Connect"], f"arn:aws:elasticache:{PLACE}:serverlesscache:cache"),
        ],
        ROLES["forgotten"]: [LOGS],
        ROLES["idle"]: [LOGS, allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"], QUEUE)],
        ROLES["machine"]: [allow(["lambda:InvokeFunction"], f"arn:aws:lambda:{PLACE}:function:idle")],
    },
    on={
        QUEUE: [lets("sns.amazonaws.com", "sqs:SendMessage", QUEUE, TOPIC)],
        KEY: [{"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}],
    },
    keys={SECRETIVE: KEY},
    functions={name: ROLES[name] for name in ("trusted", "forgotten", "idle")},
    machines=(MACHINE,),
)
QUEUE_URL = f"{URL}/{ACCOUNT}/mail"
MAIL = {
    "FromEmailAddress": "Box <tickets@box.example>",
    "Destination": {"ToAddresses": ["a@b.example"]},
    "Content": {"Raw": {"Data": "U3ViamVjdDogeAoKeA=="}},
}
CALLS: list[dict[str, Any]] = [
    {"service": "sqs", "call": "get_queue_url", "with": {"QueueName": "mail"}},
    {
        "service": "sqs",
        "call": "send_message_batch",
        "with": {"QueueUrl": QUEUE_URL, "Entries": [{"Id": "1", "MessageBody": "x"}]},
    },
    {
        "service": "sns",
        "call": "publish_batch",
        "with": {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "1", "Message": "x"}]},
    },
    {
        "service": "stepfunctions",
        "call": "start_execution",
        "with": {"stateMachineArn": MACHINE, "name": "first"},
    },
    {"service": "s3", "call": "put_object", "with": {"Bucket": "pictures", "Key": "uploads/1", "Body": "x"}},
    {"service": "s3", "call": "get_object", "with": {"Bucket": "pictures", "Key": "public/1"}},
    {"service": "sesv2", "call": "send_email", "with": MAIL},
    {"service": "lambda", "call": "invoke", "with": {"FunctionName": "idle"}},
    {"extension": "/systemsmanager/parameters/get?name=%2Fbox%2Fhold_seconds"},
    {"extension": "/secretsmanager/get?secretId=stripe"},
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("aws")
    with emulator(folder, LAMBDA_PORT, GRANTS, AWS_PORT):
        for name in ("mail", "secretive"):
            client("sqs").create_queue(QueueName=name)
        client("sns").create_topic(Name="news")
        client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)
        client("ssm").put_parameter(Name="/box/hold_seconds", Value="600", Type="String")
        client("secretsmanager").create_secret(Name="stripe", SecretString="{}")
        client("s3").create_bucket(Bucket="pictures")
        client("s3").put_object(Bucket="pictures", Key="public/1", Body=b"x")
        client("sesv2").create_email_identity(EmailIdentity="box.example")
        task = {"Type": "Task", "Resource": f"arn:aws:lambda:{PLACE}:function:idle", "End": True}
        definition = json.dumps({"StartAt": "A", "States": {"A": task}})
        client("stepfunctions").create_state_machine(
            name="buy", definition=definition, roleArn=ROLES["machine"]
        )
        yield folder


def client(service: str, key: str = "local") -> Any:
    session = botocore.session.get_session()
    session.set_credentials(key, "local")
    config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    return session.create_client(service, region_name=REGION, endpoint_url=URL, config=config)


@asynccontextmanager
async def functions(folder: Path, grants: Grants = GRANTS, **options: Any) -> AsyncIterator[Any]:
    """Has the function of that name make a call; its answer."""
    names = ("trusted", "forgotten", "idle")
    declared = [
        replace(
            function(folder, name, CODE if name != "idle" else "def handler(event, context): return event"),
            role=ROLES[name],
            **options,
        )
        for name in names
    ]
    gate = Gate(grants, folder / "denied.jsonl")
    async with hosted(folder, declared, gate, aws_url=URL, port=LAMBDA_PORT, preload=("boto3",)) as host:

        async def ask(name: str, call: dict[str, Any]) -> Any:
            answer = await host.invoke(name, json.dumps(call).encode())
            assert answer.error is None, answer.payload
            return json.loads(answer.payload)

        ask.host = host  # type: ignore[attr-defined]  # for tests that look at it
        yield ask


def denied(folder: Path) -> list[tuple[str, str]]:
    record = folder / "denied.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    return [(line["caller"], line["action"]) for line in lines]


def test_what_a_role_allows_is_done_and_without_it_every_call_is_denied(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        before = len(denied(aws))
        async with functions(tmp_path) as ask:
            for call in CALLS:
                assert "done" in await ask("trusted", call), call
            assert len(denied(aws)) == before
            assert not denied(tmp_path)
            for call in CALLS:
                answer = await ask("forgotten", call)
                assert "Denied" in answer["denied"] or answer["denied"] == "AuthorizationError", (
                    call,
                    answer,
                )
        recorded = [*denied(aws)[before:], *denied(tmp_path)]
        assert {who for who, _ in recorded} == {"forgotten"}
        assert len(recorded) == len(CALLS)

    run(scenario())


def test_a_key_is_needed_for_a_queue_that_has_one(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        call = {
            "service": "sqs",
            "call": "send_message",
            "with": {"QueueUrl": f"{URL}/{ACCOUNT}/secretive", "MessageBody": "x"},
        }
        async with functions(tmp_path) as ask:
            assert (await ask("trusted", call))["denied"] == "AccessDenied"
        assert denied(aws)[-1] == ("trusted", "kms:GenerateDataKey")

    run(scenario())


def test_what_is_not_there_is_not_told_to_whoever_may_not_list(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        call = {"service": "s3", "call": "get_object", "with": {"Bucket": "pictures", "Key": "public/none"}}
        async with functions(tmp_path) as ask:
            assert await ask("trusted", call) == {"denied": "AccessDenied"}

    run(scenario())


def test_a_form_and_an_address_are_worth_what_their_signer_may(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        form = {
            "service": "s3",
            "call": "generate_presigned_post",
            "with": {"Bucket": "pictures", "Key": "uploads/2"},
        }
        shown = {"Bucket": "pictures", "Key": "public/1"}
        address = {
            "service": "s3",
            "call": "generate_presigned_url",
            "with": {"ClientMethod": "get_object", "Params": shown},
        }
        async with functions(tmp_path) as ask:
            for name, status in (("trusted", 204), ("forgotten", 403)):
                signed = (await ask(name, form))["done"]
                assert await asyncio.to_thread(post_form, signed["url"], signed["fields"], b"x") == status
                url = (await ask(name, address))["done"]
                assert await asyncio.to_thread(status_of, url) == (200 if status == 204 else 403)

    run(scenario())


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_state_machine_invokes_by_its_own_role(aws: Path, tmp_path: Path) -> None:
    async def outcome(grants: Grants) -> str:
        async with functions(tmp_path, grants):
            machines = client("stepfunctions")
            name = uuid.uuid4().hex
            started = await asyncio.to_thread(machines.start_execution, stateMachineArn=MACHINE, name=name)
            while True:
                found = machines.describe_execution(executionArn=started["executionArn"])
                if found["status"] != "RUNNING":
                    return str(found["status"])
                await asyncio.sleep(0.05)

    assert run(outcome(GRANTS)) == "SUCCEEDED"
    assert run(outcome(replace(GRANTS, identity={**GRANTS.identity, ROLES["machine"]: []}))) == "FAILED"
    assert denied(tmp_path) == [("machine", "lambda:InvokeFunction")]


def test_a_queue_is_read_by_its_function_s_role(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with functions(tmp_path) as ask:
            source = EventSource("mail", QUEUE, "forgotten", 10, 0, partial_failures=False, concurrency=None)
            consumers = QueueConsumers([source], ask.host, URL)
            await consumers.start()
            while ("forgotten", "sqs:ReceiveMessage") not in denied(aws):
                await asyncio.sleep(0.05)
            await consumers.stop()

    run(scenario())


def test_a_topic_delivers_if_the_queue_lets_it(aws: Path) -> None:
    sqs, sns = client("sqs"), client("sns")
    sqs.purge_queue(QueueUrl=QUEUE_URL)
    other = sns.create_topic(Name="other")["TopicArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=QUEUE)
    sns.publish(TopicArn=other, Message="lost")
    sns.publish(TopicArn=TOPIC, Message="kept")
    bodies = [m["Body"] for m in sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10)["Messages"]]
    assert len(bodies) == 1
    assert "kept" in bodies[0]
    assert denied(aws)[-1] == ("sns.amazonaws.com for other", "sqs:SendMessage")


def test_who_may_not_sign_in_is_given_nothing_to_sign_in_with(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        options: dict[str, Any] = {
            "databases": [f"arn:aws:rds-db:{PLACE}:dbuser:proxy/tickets_app"],
            "cache": [f"arn:aws:elasticache:{PLACE}:serverlesscache:cache"],
            "environment": {"DATABASE_USER": "tickets_app", "CACHE_PORT": "6379"},
        }
        call = {"environment": ["DATABASE_USER", "CACHE_PORT"]}
        async with functions(tmp_path, **options) as ask:
            assert (await ask("trusted", call))["done"] == options["environment"]
            refused = (await ask("forgotten", call))["done"]
            assert refused == {"DATABASE_USER": "tickets_app without rds-db:connect", "CACHE_PORT": "1"}
        assert ("forgotten", "rds-db:connect") in denied(tmp_path)
        assert ("forgotten", "elasticache:Connect") in denied(tmp_path)

    run(scenario())


def test_a_function_that_may_not_be_attached_to_the_network_does_not_start(aws: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with functions(tmp_path, in_network=True) as ask:
            answer = await ask.host.invoke("trusted", b"{}")
            assert answer.error is not None
            assert "ec2:CreateNetworkInterface" in json.loads(answer.payload)["errorMessage"]

    run(scenario())


def test_an_unknown_key_may_nothing(aws: Path) -> None:
    stranger = client("sqs", access_key(Caller("arn:aws:iam::1:role/other", "other")))
    with pytest.raises(stranger.exceptions.ClientError, match="not authorized"):
        stranger.get_queue_url(QueueName="mail")
    role = client("sqs", access_key(role_caller(ROLES["idle"])))
    assert role.receive_message(QueueUrl=QUEUE_URL, VisibilityTimeout=0)


def test_what_a_killed_process_had_half_said_is_no_call(aws: Path) -> None:
    before, key = denied(aws), access_key(role_caller(ROLES["trusted"]))
    signed = f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/sns/aws4_request"
    head = f"POST / HTTP/1.1\r\nHost: sns\r\nAuthorization: {signed}\r\nContent-Length: 100\r\n\r\n"
    for body in (b"", b"Action=Publ"):
        with socket.create_connection(("127.0.0.1", AWS_PORT), timeout=10) as cut_off:
            cut_off.sendall(head.encode() + body)
            cut_off.shutdown(socket.SHUT_WR)
            assert cut_off.recv(1) == b""

    assert denied(aws) == before
