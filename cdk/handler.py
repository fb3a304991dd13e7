"""One Lambda function and what belongs to it: its role, its log group, its place in the network, its alias.

A *use* is what a row of a service's table asks for: it grants the permission and sets the environment in one go, so
that neither can be forgotten.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk import assets
from cdk.delivery import Delivery
from cdk.network import PRIVATE, Network
from cdk.stages import Stage

Use = Callable[[lambda_.Function], None]

# Whose new version gets some of the calls first. A queue's consumer and a job have no caller who would be spared: what
# they fail at is tried again by the old version or the new one, so a tenth of it tells nothing sooner.
GRADUAL = ("routes", "authorizers", "saga")

# A route's function has no kind in its name: `tickets-reserve` is the route, `tickets-saga-reserve` the task.
KINDS = {"routes": "", "saga": "saga", "consumers": "consumer", "jobs": "job", "authorizers": "authorizer"}

LIVE = "live"
"""The alias that every caller goes through: it says which version of a function is in service."""

# Lambda attaches a function to the VPC with the function's own role, and nobody knows the interfaces' names in advance.
ATTACH_TO_VPC = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]

# Settings and secrets are read from this extension on localhost: no boto3 in a cold start, and a cache across calls.
EXTENSION = lambda_.ParamsAndSecretsLayerVersion.from_version(
    lambda_.ParamsAndSecretsVersions.V1_0_103, log_level=lambda_.ParamsAndSecretsLogLevel.WARN
)


def allow(function: lambda_.Function, actions: Sequence[str], *resources: str) -> None:
    """Let a function's role do `actions` on `resources`, and say so in that role's own policy.

    The CDK's `grant_*` methods also write into the policy of a customer's key, which ties the key's stack to the
    function's and closes a circle.
    """
    function.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))


def function_arn(scope: Construct, name: str) -> str:
    """The ARN of the function of that name, in the account and the region of `scope`."""
    return Stack.of(scope).format_arn(
        service="lambda",
        resource="function",
        resource_name=name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


@dataclass(frozen=True)
class Runtime:
    """What every function of a stage shares."""

    stage: Stage
    network: Network
    delivery: Delivery

    def invoke(self, source: "Source", variable: str) -> Use:
        """A use: call another function and wait for its answer; `variable` tells its name, with its alias."""

        def use(function: lambda_.Function) -> None:
            name = f"{self.stage.prefix}-{source.function_name}:{LIVE}"
            allow(function, ["lambda:InvokeFunction"], function_arn(function, name))
            function.add_environment(variable, name)

        return use


@dataclass(frozen=True)
class Source:
    """The file that a function runs: `functions/<service>/<folder>/<name>.py`."""

    service: str
    folder: str
    name: str

    @property
    def file(self) -> str:
        """Where it is in the repository, and in the zip."""
        return f"functions/{self.service}/{self.folder}/{self.name}.py"

    @property
    def handler(self) -> str:
        """The import path, the same in the zip as in the repository."""
        return f"functions.{self.service}.{self.folder}.{self.name}.handler"

    @property
    def function_name(self) -> str:
        """The function's name without the stage: `tickets-reserve`, `tickets-saga-reserve`."""
        return "-".join(
            part for part in (self.service, KINDS[self.folder], self.name.replace("_", "-")) if part
        )

    @property
    def construct_id(self) -> str:
        """Unique in a service's stack and readable in CloudFormation: `Reserve`, `SagaReserve`."""
        return "".join(word.title() for word in (KINDS[self.folder], *self.name.split("_")))


class Handler(Construct):
    """A function with a role of its own, its log group, tracing, and a place in the private subnets.

    `target` is what callers invoke: the alias `live`, which a deployment moves to the version that it publishes, in a
    stage with canaries little by little (`cdk.delivery`). Callers in other stacks know it by its name (`called_by`).
    """

    def __init__(
        self,
        scope: Construct,
        source: Source,
        runtime: Runtime,
        *,
        uses: Sequence[Use],
        memory: int,
        timeout: int,
        at_most: int | None = None,
        warm: bool = False,
        recursive: bool = False,
        code: lambda_.Code | None = None,
        security_group: ec2.ISecurityGroup | None = None,
    ) -> None:
        super().__init__(scope, source.construct_id)
        self.source, self.name = source, f"{runtime.stage.prefix}-{source.function_name}"
        self._runtime = runtime
        self._known: dict[str, lambda_.IFunction] = {}
        log_group = self._log_group()
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            handler=source.handler,
            code=code or assets.function_zip(source.file),
            runtime=assets.RUNTIME,
            architecture=assets.ARCHITECTURE,
            layers=assets.Layers.of(Stack.of(self)).versions,
            params_and_secrets=EXTENSION,
            memory_size=memory,
            timeout=Duration.seconds(timeout),
            reserved_concurrent_executions=runtime.delivery.share(at_most),
            role=iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
            tracing=lambda_.Tracing.ACTIVE,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=log_group,
            vpc=runtime.network.vpc,
            vpc_subnets=PRIVATE,
            security_groups=[security_group or runtime.network.functions],
            current_version_options=runtime.delivery.versions,
            # Lambda takes a function that leads to itself for a mistake and calls it no more after the sixteenth time:
            # https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
            recursive_loop=lambda_.RecursiveLoop.ALLOW if recursive else None,
        )
        allow(self.function, ["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn)
        self._attach_to_vpc()
        self._read_settings()
        for use in uses:
            use(self.function)
        self.target = lambda_.Alias(
            self,
            "Live",
            alias_name=LIVE,
            version=self.function.current_version,
            provisioned_concurrent_executions=(runtime.stage.warm or None) if warm else None,
        )
        if source.folder in GRADUAL:
            runtime.delivery.shift(self.target, self.name)

    def called_by(self, stack: Stack) -> lambda_.IFunction:
        """`target` by its name, for callers in another stack, which is deployed after the function's.

        By reference, the function's stack would export it, and CloudFormation deletes no export that a deployed stack
        imports: no release could take a function away, and none that added one could be taken back.
        """
        if stack.node.path not in self._known:
            stack.add_stack_dependency(Stack.of(self))
            self._known[stack.node.path] = self._by_name(Construct(stack, self.name))
        return self._known[stack.node.path]

    def _by_name(self, scope: Construct) -> lambda_.IFunction:
        function = lambda_.Function.from_function_attributes(
            scope, "Function", function_arn=function_arn(scope, self.name), same_environment=True
        )
        # An alias is imported with a version, of which nothing but the function is asked.
        version = lambda_.Version.from_version_attributes(scope, "Version", lambda_=function, version=LIVE)
        return lambda_.Alias.from_alias_attributes(scope, "Live", alias_name=LIVE, alias_version=version)

    def _log_group(self) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{self.name}",
            encryption_key=self._runtime.network.log_key,
            retention=self._runtime.stage.logs,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _attach_to_vpc(self) -> None:
        allow(self.function, ATTACH_TO_VPC, "*")
        this = function_arn(self, self.name)
        self.function.add_to_role_policy(
            iam.PolicyStatement(  # Lambda itself may, the function's code may not
                effect=iam.Effect.DENY,
                actions=ATTACH_TO_VPC,
                resources=["*"],
                conditions={"ArnEquals": {"lambda:SourceFunctionArn": this}},
            )
        )

    def _read_settings(self) -> None:
        stage = self._runtime.stage
        self.function.add_environment("STAGE", stage.name)
        self.function.add_environment("POWERTOOLS_SERVICE_NAME", self.source.service)
        self.function.add_environment("WEB_ORIGINS", ",".join(stage.web_origins))
        self.function.add_environment("SETTINGS_PREFIX", stage.parameters)
        if stage.settings:  # for functions that Parameter Store does not answer
            told = json.dumps(stage.settings, sort_keys=True)
            self.function.add_environment("SETTINGS_AS_DEPLOYED", told)
        # All of the stage's parameters: none is a secret, and a list per function would name a second time, and
        # sooner or later otherwise, what the code names already.
        parameters = Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=f"{stage.parameters.lstrip('/')}/*"
        )
        allow(self.function, ["ssm:GetParameter"], parameters)
