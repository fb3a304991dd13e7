"""What the laptop cloud takes from a synthesized template, as typed objects.

`local.assembly` reads them from `cdk.out`; the gateway, the Lambda host, the pollers and the deployment run them.
Every name, ARN and URL in here is already resolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = "000000000000"
REGION = "us-east-1"
PICTURES_PATH = "/_local/pictures"
"""Below this the gateway shows what a CloudFront distribution would."""


class AssemblyError(Exception):
    """The template holds something that the laptop cloud cannot run; the message names it."""


@dataclass(frozen=True)
class Address:
    """A host and a TCP port on this machine."""

    host: str
    port: int


@dataclass(frozen=True)
class Places:
    """Where the local stand-ins listen; their addresses replace those that AWS would assign."""

    gateway_url: str
    aws_url: str
    database: Address
    cache: Address


@dataclass(frozen=True)
class Function:
    """A Lambda function. `timeout` is in seconds, `memory` in MB; `aliases` are the qualifiers it answers to.

    `databases` and `cache` are the ARNs as which its environment has it sign in, `in_network` says that it is attached
    to the VPC: its role must be allowed all of these.
    """

    name: str
    handler: str
    code: Path
    layers: Sequence[Path]
    environment: Mapping[str, str]
    timeout: float
    memory: int
    reserved_concurrency: int | None = None
    log_format: str = "Text"
    aliases: frozenset[str] = frozenset()
    role: str = ""
    databases: Sequence[str] = ()
    cache: Sequence[str] = ()
    in_network: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True)
class MockResponse:
    """What a MOCK integration answers: headers as mapping expressions (`'text'`, `context.requestId`).

    `origins` are those that its CORS template admits; None if it has no template.
    """

    status: int
    headers: Mapping[str, str]
    origins: Sequence[str] | None = None


@dataclass(frozen=True)
class Route:
    """A method of the REST API: either a Lambda proxy (`function`) or a `mock`. `timeout` is in seconds.

    `target` is the ARN that API Gateway invokes: the function's, or that of a version or an alias.
    """

    method: str
    path: str
    function: str | None = None
    mock: MockResponse | None = None
    authorized: bool = False
    timeout: float = 29.0
    resource_id: str = ""
    target: str = ""


@dataclass(frozen=True)
class Authorizer:
    """A Lambda authorizer of type REQUEST without a result cache. `role` is whose rights API Gateway calls it with."""

    function: str
    headers: Sequence[str]
    query: Sequence[str] = ()
    target: str = ""
    role: str | None = None


@dataclass(frozen=True)
class GatewayResponse:
    """API Gateway's own answer of one type (`UNAUTHORIZED`, `DEFAULT_4XX`, …); headers are mapping expressions."""

    type: str
    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class Api:
    """A deployed REST API stage."""

    id: str
    name: str
    stage: str
    routes: Sequence[Route]
    authorizer: Authorizer | None
    responses: Mapping[str, GatewayResponse]
    binary_media_types: Sequence[str] = ()


@dataclass(frozen=True)
class StateMachine:
    """A Step Functions state machine with its definition in Amazon States Language (JSON text)."""

    name: str
    definition: str
    role: str
    type: str


@dataclass(frozen=True)
class Queue:
    """An SQS queue and the attributes that CreateQueue takes."""

    name: str
    arn: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Topic:
    """An SNS topic."""

    name: str
    arn: str


@dataclass(frozen=True)
class Subscription:
    """A queue's subscription to a topic, with the attributes that Subscribe takes."""

    topic_arn: str
    protocol: str
    endpoint: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class EventSource:
    """An SQS event source mapping. `window` is the batching window in seconds."""

    queue: str
    queue_arn: str
    function: str
    batch_size: int
    window: float
    partial_failures: bool
    concurrency: int | None


@dataclass(frozen=True)
class Schedule:
    """An EventBridge Scheduler schedule that invokes a function with `payload`, by the rights of `role`."""

    name: str
    expression: str
    timezone: str
    function: str
    payload: str
    target: str = ""
    role: str | None = None


@dataclass(frozen=True)
class Trigger:
    """A function that CloudFormation runs once while deploying; `after` names triggers that must run before."""

    id: str
    function: str
    after: Sequence[str]


@dataclass(frozen=True)
class Secret:
    """A secret: literal, or generated by Secrets Manager's rules; or the password of a server's administrator, which
    RDS generates.
    """

    name: str
    arn: str
    literal: str | None
    generate: Mapping[str, Any] | None
    is_administrator: bool = False


@dataclass(frozen=True)
class Parameter:
    """A Parameter Store parameter."""

    name: str
    value: str
    type: str
    description: str = ""
    pattern: str | None = None


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket: which queues it tells of what (as S3's API takes it), and its CORS rules (likewise)."""

    name: str
    told: Sequence[Mapping[str, Any]] = ()
    cors: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution that shows what lies below a folder of a bucket.

    `missing` is the key of what is shown, with 404, in place of what is not there.
    """

    bucket: str
    folder: str
    missing: str | None = None
    arn: str = ""
