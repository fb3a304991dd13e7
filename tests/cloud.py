"""What AWS gives a function, for tests in one process: topics and queues in memory, secrets over HTTP."""

import email
import email.policy
import functools
import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from shared import aws, flags

ACCOUNT = "123456789012"
FLAGS_PATH = "/applications/box-office/environments/dev/configurations/flags"


class Cloud:
    """SQS, SNS, Step Functions and SES of an empty AWS account (moto), and what has been sent to them."""

    def __init__(self, environment: pytest.MonkeyPatch) -> None:
        self._environment = environment
        self._sns, self._sqs, self._steps = (boto3.client(name) for name in ("sns", "sqs", "stepfunctions"))
        self._queues: dict[str, str] = {}
        self._seen: dict[str, list[dict[str, Any]]] = {}
        self._machine = ""

    def topic(self, service: str) -> str:
        """Give the code under test the topic of `service` (TOPIC_ARN); its ARN."""
        arn: str = self._sns.create_topic(Name=f"box-office-dev-{service}")["TopicArn"]
        self._queues[service] = self._sqs.create_queue(QueueName=f"seen-{service}")["QueueUrl"]
        self._sns.subscribe(
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:seen-{service}",
            Attributes={"RawMessageDelivery": "true"},
        )
        self._environment.setenv("TOPIC_ARN", arn)
        return arn

    def queue(self, name: str) -> str:
        """Give the code under test the queue `name` (QUEUE_<NAME>_URL); its URL."""
        url: str = self._sqs.create_queue(QueueName=f"box-office-dev-{name}")["QueueUrl"]
        self._queues[name] = url
        self._environment.setenv(f"QUEUE_{name.replace('-', '_').upper()}_URL", url)
        return url

    def messages(self, name: str) -> list[dict[str, Any]]:
        """Every envelope sent so far to the topic of that service, or to that queue, oldest first."""
        seen = self._seen.setdefault(name, [])
        url = self._queues[name]
        while received := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                seen.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return seen

    def record(self, name: str, envelope: dict[str, Any], receive_count: int = 1) -> dict[str, Any]:
        """The record in which SQS would hand this envelope to a consumer of the queue `name`."""
        return {
            "messageId": envelope["id"],
            "receiptHandle": "receipt",
            "body": json.dumps(envelope),
            "attributes": {"ApproximateReceiveCount": str(receive_count)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:box-office-dev-{name}",
            "awsRegion": "us-east-1",
        }

    def state_machine(self) -> str:
        """Give the code under test a state machine to start (PURCHASE_STATE_MACHINE_ARN); its ARN."""
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        self._machine = self._steps.create_state_machine(
            name="box-office-dev-purchase",
            definition=json.dumps(definition),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/purchase",
        )["stateMachineArn"]
        self._environment.setenv("PURCHASE_STATE_MACHINE_ARN", self._machine)
        return self._machine

    def executions(self) -> dict[str, dict[str, Any]]:
        """The executions started so far: the order of each by its name."""
        return {name: {"orderId": given["orderId"]} for name, given in self.execution_inputs().items()}

    def execution_inputs(self) -> dict[str, dict[str, Any]]:
        """The same with all that they were started with."""
        rows = self._steps.list_executions(stateMachineArn=self._machine)["executions"]
        describe = self._steps.describe_execution
        return {row["name"]: json.loads(describe(executionArn=row["executionArn"])["input"]) for row in rows}

    def end_execution(self, name: str) -> None:
        """Let an execution be over."""
        arn = self._machine.replace(":stateMachine:", ":execution:")
        self._steps.stop_execution(executionArn=f"{arn}:{name}")

    def abort_executions(self) -> None:
        """End every execution, as an operator may; AWS keeps their names."""
        for row in self._steps.list_executions(stateMachineArn=self._machine)["executions"]:
            self._steps.stop_execution(executionArn=row["executionArn"])

    def mails(self) -> list[EmailMessage]:
        """The mails handed to SES so far, as parsed MIME, oldest first."""
        messages = ses_backends[ACCOUNT]["us-east-1"].sent_messages
        parse = functools.partial(email.message_from_string, policy=email.policy.default)
        return [cast(EmailMessage, parse(message.raw_data)) for message in messages]

    def accept_mail_from(self, address: str) -> None:
        """Let this sender pass; SES refuses others."""
        boto3.client("ses").verify_email_identity(EmailAddress=address)


@contextmanager
def running_emulator() -> Iterator[str]:
    """moto as an HTTP server in this process; its URL. Child processes of a test reach it too."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def empty_cloud(url: str) -> Iterator[Cloud]:
    """An account with nothing in it; the code under test reaches it through `shared.aws`."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", url)
        aws.client.cache_clear()
        yield Cloud(environment)
        aws.client.cache_clear()


class Extension:
    """The AWS Parameters and Secrets Lambda extension: what it should answer, by ARN and by setting."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        self.parameters: dict[str, str] = {}
        self.flags: dict[str, Any] = {}

    def turn(self, flag: str, value: Any) -> None:
        """Give a flag a value for everybody; it counts at once."""
        kind = {} if isinstance(value, bool) else {"boolean_type": False}
        self.flags[flag] = {"default": value} | kind
        flags.forget()

    def answer(self, path: str) -> dict[str, Any] | None:
        """The JSON answer to a GET of `path`; None where AWS would say 404."""
        url = urlsplit(path)
        if url.path == FLAGS_PATH:
            return self.flags
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/secretsmanager/get" and query["secretId"] in self.secrets:
            return {"SecretString": json.dumps(self.secrets[query["secretId"]])}
        name = query.get("name", "").removeprefix(os.environ["SETTINGS_PREFIX"] + "/")
        if url.path == "/systemsmanager/parameters/get" and name in self.parameters:
            return {"Parameter": {"Value": self.parameters[name]}}
        return None


@contextmanager
def running_extension() -> Iterator[Extension]:
    """The extension on a port of its own, which the code under test finds in its environment."""
    extension = Extension()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = extension.answer(self.path)
            body = json.dumps({"message": "not found"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(server.server_port))
        environment.setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", str(server.server_port))
        environment.setenv("SETTINGS_PREFIX", "/box-office/dev")
        environment.setenv("FLAGS_PATH", FLAGS_PATH)
        flags.forget()
        try:
            yield extension
        finally:
            flags.forget()
            server.shutdown()
            server.server_close()
