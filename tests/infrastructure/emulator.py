"""MiniStack, an emulator of AWS that nobody here wrote: started on the loopback, and deployed into as the CDK does.

The CDK's command line uploads each asset to the bootstrap bucket and hands each template to CloudFormation, a stack
after those that it depends on; so does this.
"""

import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local import ports
from local.processes import Processes, Program
from tests.infrastructure.left_aside import LEFT_ASIDE, set_aside
from tests.infrastructure.template import ROOT, Stack, System

ACCOUNT, REGION = "000000000000", "us-east-1"
STACK_SECONDS = 90
# It brings a botocore of its own, which its functions must not find: they have what our lock file names.
_PACKAGES = ROOT / ".venv" / "emulator"
_START = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('ministack', run_name='__main__')"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class Emulator:
    """An account in the emulator, and what has been deployed into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.aside: dict[str, dict[str, str]] = {}
        """By stack: what was left aside, types by logical id."""

    def client(self, service: str) -> Any:
        """A boto3 client of the account."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, read_timeout=120, retries={"max_attempts": 0}),
        )

    def bootstrap(self, system: System) -> None:
        """What `cdk bootstrap` makes of it, and every asset uploaded."""
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
        s3 = self.client("s3")
        s3.create_bucket(Bucket=self._bucket)
        for name, source, packaging in _assets(system.folder):
            if packaging == "zip":
                s3.put_object(Bucket=self._bucket, Key=name, Body=_zipped(source))

    def deploy(self, system: System, variables: Mapping[str, str]) -> dict[str, str]:
        """Create every stack in turn; the status that each came to, with the reason of a failure.

        `variables` replace those of the functions whose names match (a regular expression): where our servers listen.
        """
        statuses = {}
        for stack in system.in_order:
            unknown = self._unknown_types(stack)
            template, self.aside[stack.name] = set_aside(stack.template, {*LEFT_ASIDE, *unknown})
            template.pop("Rules", None)  # they refuse what was synthesized without the third-party packages
            _adapt(template, variables)
            statuses[stack.name] = self.create(stack.name, template)
        return statuses

    def resources(self, stack: str) -> dict[str, str]:
        """The resources of a stack that CloudFormation says are complete: types by logical id."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        rows = [row for page in pages for row in page["StackResourceSummaries"]]
        return {
            row["LogicalResourceId"]: row["ResourceType"]
            for row in rows
            if row["ResourceStatus"] == "CREATE_COMPLETE"
        }

    def invoke(self, function: str, event: dict[str, Any] | None = None) -> Any:
        """What a function answers; an AssertionError with its words if it fails."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
        body = json.loads(answer["Payload"].read() or "null")
        assert "FunctionError" not in answer, f"{function}: {body}"
        return body

    def _unknown_types(self, stack: Stack) -> list[str]:
        """The types that the emulator refuses to read: it says so before it makes anything."""
        types = {body["Type"] for body in stack.template["Resources"].values()}
        one_of_each = {"Resources": {f"R{place}": {"Type": type} for place, type in enumerate(sorted(types))}}
        try:
            self.client("cloudformation").create_change_set(
                StackName=f"{stack.name}-types",
                ChangeSetName="types",
                ChangeSetType="CREATE",
                TemplateBody=json.dumps(one_of_each),
                Capabilities=_CAPABILITIES,
            )
        except ClientError as refused:
            found = re.search(r"Unrecognized resource types: \[([^]]*)\]", str(refused))
            return found[1].split(", ") if found else []
        return []

    @property
    def _bucket(self) -> str:
        return f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"

    def create(self, name: str, template: dict[str, Any]) -> str:
        """Create a stack; the status it came to, with the reason of a failure."""
        # As a file in the bucket: CloudFormation takes no template of more than 51,200 bytes in the request itself.
        key = f"{name}.template.json"
        self.client("s3").put_object(Bucket=self._bucket, Key=key, Body=json.dumps(template))
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=name, TemplateURL=f"{self.url}/{self._bucket}/{key}", Capabilities=_CAPABILITIES
        )
        deadline = time.monotonic() + STACK_SECONDS
        while True:
            (stack,) = formation.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > deadline:
                return str(stack["StackStatus"]) + self._why(formation, name)
            time.sleep(0.1)

    @staticmethod
    def _why(formation: Any, name: str) -> str:
        events = formation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        return "".join(f"; {e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed)


@contextmanager
def running_ministack(folder: Path) -> Iterator[Emulator]:
    """The emulator as a process of its own, gone at the end with all that it started."""
    port = ports.free_port()
    scratch = folder / "tmp"
    scratch.mkdir()
    environment = KEYS | {
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": ports.HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "0",
        "PYTHONPATH": "",
        "TMPDIR": str(scratch),
        # What the functions must not find: they have their endpoint from the emulator.
        "AWS_ENDPOINT_URL": f"http://{ports.HOST}:{port}",
    }
    processes = Processes(folder)
    try:
        assert _PACKAGES.is_dir(), "the emulator is not installed: run `make install`"
        command: list[str | Path] = [sys.executable, "-c", _START, _PACKAGES]
        program = Program("ministack", command, environment, folder=folder)
        processes.start(program).wait_until(lambda: ports.is_answering(port), 60)
        yield Emulator(f"http://{ports.HOST}:{port}")
    finally:
        processes.stop_all()


def _assets(assembly: Path) -> Iterator[tuple[str, Path, str]]:
    """Every asset of the stacks: its key in the bucket, where it lies, how it is packed."""
    for manifest in sorted(assembly.glob("*.assets.json")):
        for file in json.loads(manifest.read_text())["files"].values():
            (destination,) = file["destinations"].values()
            source = assembly / file["source"]["path"]
            yield destination["objectKey"], source, file["source"]["packaging"]


def _zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return packed.getvalue()


def _adapt(template: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Point functions at our servers and give them time: a first call takes seconds on a busy machine.

    Schedules are paused: each tick would start sixteen processes on two cores.
    """
    for body in template["Resources"].values():
        if body["Type"] == "AWS::Scheduler::Schedule":
            body["Properties"]["State"] = "DISABLED"
        if body["Type"] == "AWS::Lambda::Function":
            properties = body["Properties"]
            if properties.get("Timeout", 3) <= 10:  # a consumer's may not exceed its queue's
                properties["Timeout"] = 60
            declared = properties.get("Environment", {}).get("Variables", {})
            for name in declared:
                matching = [value for pattern, value in variables.items() if re.fullmatch(pattern, name)]
                declared.update(dict.fromkeys([name], matching[0]) if matching else {})
