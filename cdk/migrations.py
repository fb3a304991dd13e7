"""The databases' schemas: brought up to date before any function that reads them is replaced."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk.triggers import Trigger
from constructs import Construct

from cdk import assets
from cdk.data import Data
from cdk.handler import Handler, Runtime, Source

MIGRATE = Source("platform", "jobs", "migrate")


class Migrations(Stack):
    """One function, run by CloudFormation whenever its code or a service's SQL changes.

    It signs in to the instance itself, as its administrator: session locks and long transactions do not go well with
    a proxy. Every stack of a service depends on this one.
    """

    def __init__(self, scope: Construct, id: str, *, runtime: Runtime, data: Data, **options: Any) -> None:
        super().__init__(scope, id, **options)
        migrate = Handler(
            self,
            MIGRATE,
            runtime,
            code=assets.service_zip(MIGRATE.service, migrations=True),
            uses=[data.admin.read],
            memory=512,
            timeout=600,
            security_group=runtime.network.migrations,
        )
        Trigger(self, "Migrate", handler=migrate.function, timeout=Duration.minutes(10))
