"""How what is new comes into service: a version of a function with a tenth of the calls first, and back if an alarm
rings; a flag likewise (`cdk.flags`).

`-c rollout=at-once` deploys past CodeDeploy, for this once: it takes nothing while one of its alarms rings, and what is
deployed may be what ends that.

CodeDeploy moves a function's alias. An alarm of each function counts errors of the version that is new (of the old one
says nothing about the new), and one alarm counts the API's own 5xx answers: most failures are answers, not errors.
"""

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk import flags
from cdk.alarms import Alarms
from cdk.stages import Stage

MINUTE = Duration.minutes(1)
LEFT_FOR_OTHERS = 100
"""Of the account's concurrency: Lambda demands as much for functions that reserve nothing."""
PAGE = "deployment-rolled-back"
SERVER_ERRORS = 5
"""In a minute, of all routes: as many as wake somebody up."""


def at_once(scope: Construct) -> bool:
    """Whether this deployment is to pass CodeDeploy by. Raises SystemExit for a way that there is not."""
    asked = scope.node.try_get_context("rollout")
    if asked not in (None, "at-once"):
        raise SystemExit(f"There is no rollout {asked!r}: leave it out, or say at-once.")
    return asked is not None


class Delivery(Stack):
    """What deployments of all services share. Without canaries CodeDeploy has no part in it: an alias moves at once."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, alarms: sns.ITopic, **options: Any
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage, self._topic, self._reserved = stage, alarms, 0
        self._canaries = stage.rollout == "canary"
        self._at_once = at_once(self)
        self._alarms = [self._api_alarm()] if self._canaries else []
        self.flags = flags.Flags(self, "Flags", stage=stage, alarms=[*self._alarms])
        if not self._canaries:
            return
        self._application = codedeploy.LambdaApplication(self, "Functions", application_name=stage.prefix)
        self._role = iam.Role(
            self,
            "CodeDeploy",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/AWSCodeDeployRoleForLambdaLimited"
                )
            ],
        )

    def share(self, at_most: int | None) -> int | None:
        """What a function may have of the account's concurrency, and nobody else: `at_most`, if the stage reserves any.

        Raises:
            ValueError: Lambda would refuse it, because too little were left for all others.
        """
        if at_most is None or not self._stage.concurrency:
            return None
        self._reserved += at_most
        if self._reserved > self._stage.concurrency - LEFT_FOR_OTHERS:
            raise ValueError(
                f"Stage {self._stage.name} reserves {self._reserved} of {self._stage.concurrency}."
            )
        return at_most

    @property
    def versions(self) -> lambda_.VersionOptions:
        """What becomes of a function's earlier versions: kept where somebody may want to go back to one."""
        keep = RemovalPolicy.RETAIN if self._canaries else RemovalPolicy.DESTROY
        return lambda_.VersionOptions(removal_policy=keep)

    def shift(self, alias: lambda_.Alias, name: str) -> None:
        """Have CodeDeploy move `alias` of the function `name`, where the stage wants canaries."""
        if not self._canaries:
            return
        codedeploy.LambdaDeploymentGroup(
            alias,
            "Rollout",
            application=self._application,
            deployment_group_name=name,
            alias=alias,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            role=self._role,
            alarms=[self._errors(alias, name), *self._alarms],
        )
        if self._at_once:
            resource = alias.node.default_child
            assert isinstance(resource, lambda_.CfnAlias)
            resource.cfn_options.update_policy = None  # CloudFormation moves the alias itself

    def _errors(self, alias: lambda_.Alias, name: str) -> cloudwatch.Alarm:
        """Errors of the version that is being deployed: crashes, time-outs, a module that cannot be imported."""
        called = name.removeprefix(f"{self._stage.prefix}-")
        return Alarms(alias, self._stage, self._topic).on(
            "NewVersionOf" + "".join(word.title() for word in called.split("-")),
            cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="Errors",
                dimensions_map={
                    "FunctionName": name,
                    "Resource": f"{name}:{alias.alias_name}",
                    "ExecutedVersion": alias.version.version,
                },
                period=MINUTE,
                statistic="Sum",
            ),
            f"The new version of {called} fails: its deployment is rolled back.",
            page=PAGE,
        )

    def _api_alarm(self) -> cloudwatch.Alarm:
        """The API is known by its name, since it stands on the functions."""
        return Alarms(self, self._stage, self._topic).on(
            "NewVersionsFail",
            cloudwatch.Metric(
                namespace="AWS/ApiGateway",
                metric_name="5XXError",
                dimensions_map={"ApiName": self._stage.prefix},
                period=MINUTE,
                statistic="Sum",
            ),
            "The API answers with 5xx: what is being deployed, functions or flags, is rolled back.",
            page=PAGE,
            threshold=SERVER_ERRORS,
        )
