"""The databases' schemas: brought up to date before any function that reads them is replaced."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk.triggers import Trigger
from constructs import Construct

from cdk import assets
from cdk.data import Data
from cdk.handler import Handler, Runtime, Source

MIGRATE = Source("platform", "jobs", "migrate")
LOOK = Source("platform", "jobs", "look_at_restored")


class Migrations(Stack):
    """One function that CloudFormation runs whenever its code or a service's SQL changes, and one for operators.

    They sign in to the server itself, as its administrator: session locks and long transactions do not go well with a
    proxy, and a server that was restored from a backup has none. Every stack of a service depends on this one.
    """

    def __init__(self, scope: Construct, id: str, *, runtime: Runtime, data: Data, **options: Any) -> None:
        super().__init__(scope, id, **options)
        migrate, _ = (
            Handler(
                self,
                source,
                runtime,
                code=assets.function_zip(source.file, migrations=True),
                uses=[data.administer],
                memory=512,
                timeout=timeout,
                at_most=1,
                security_group=runtime.network.migrations,
            )
            for source, timeout in ((MIGRATE, 600), (LOOK, 900))
        )
        Trigger(self, "Migrate", handler=migrate.function, timeout=Duration.minutes(10))
