"""The whole of Box Office on AWS, read from top to bottom: each stack stands on those above it.

`npx cdk synth` writes the templates, `npx cdk deploy --all` deploys the stage named by `-c stage=…` (dev if none is).
The laptop cloud runs the same templates, made with `-c dependencies=skip`.
"""

import os
from typing import Any

os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

import aws_cdk as cdk

from cdk import reviews, stages
from cdk.api import Api
from cdk.compliance import Compliance
from cdk.data import Data
from cdk.delivery import Delivery
from cdk.deployers import declare_logs
from cdk.edge import Edge
from cdk.handler import Runtime
from cdk.messaging import Messaging
from cdk.migrations import Migrations
from cdk.network import Network
from cdk.operations.stack import Operations
from cdk.saga import Purchase, Saga, Tasks
from cdk.service import Ground, Service
from cdk.services import auth, events, notifications, payments, platform, tickets
from cdk.settings import Settings
from cdk.storage import Buckets

TABLES = {
    "auth": auth,
    "events": events,
    "tickets": tickets,
    "payments": payments,
    "notifications": notifications,
    "platform": platform,
}
WITH_DATABASE = ["auth", "events", "tickets", "payments", "notifications"]


def build(app: cdk.App) -> None:
    """Every stack of the chosen stage."""
    stage = stages.chosen(app.node)
    place = cdk.Environment(region=stage.region)

    def named(name: str) -> dict[str, Any]:
        tags = {"application": "box-office", "stage": stage.name}
        return {"stack_name": f"{stage.prefix}-{name}", "env": place, "tags": tags}

    # What stands still while the code changes.
    network = Network(app, "Network", stage=stage, **named("network"))
    data = Data(app, "Data", stage=stage, network=network, services=WITH_DATABASE, **named("data"))
    queues = [queue for table in TABLES.values() for queue in table.QUEUES]
    messaging = Messaging(
        app, "Messaging", stage=stage, services=WITH_DATABASE, queues=queues, **named("messaging")
    )
    buckets = Buckets(app, "Buckets", stage=stage, messaging=messaging, **named("buckets"))
    if stage.account_guard:
        Compliance(app, "Compliance", stage=stage, exports=buckets.exports.bucket, **named("compliance"))
    settings = Settings(app, "Settings", stage=stage, **named("settings") | {"tags": None})

    delivery = Delivery(app, "Delivery", stage=stage, alarms=messaging.alarms, **named("delivery"))

    # The code: the databases' schemas first, then each service.
    runtime, saga = Runtime(stage, network, delivery), Saga(stage)
    migrations = Migrations(app, "Migrations", runtime=runtime, data=data, **named("migrations"))
    ground = Ground(runtime, data, messaging, settings, saga, buckets)
    services = {
        name: Service(app, name.title(), ground=ground, service=name, rows=table.rows(ground), **named(name))
        for name, table in TABLES.items()
    }
    for service in services.values():
        service.add_stack_dependency(migrations)

    # What is made of the services: the purchase, the API, its door, and the alarms.
    tasks = Tasks(
        reserve=services["tickets"].task("reserve"),
        charge=services["payments"].task("charge"),
        await_payment=services["payments"].task("await_payment"),
        issue=services["tickets"].task("issue"),
        notify=services["tickets"].task("notify"),
        cancel_payment=services["payments"].task("cancel_payment"),
        refund_payment=services["payments"].task("refund_payment"),
        release=services["tickets"].task("release"),
    )
    purchase = Purchase(
        app, "Purchase", stage=stage, saga=saga, tasks=tasks, log_key=network.log_key, **named("purchase")
    )
    bearer = services["auth"].authorizer("bearer")
    routed = list(services.values())
    api = Api(
        app, "Api", stage=stage, services=routed, authorizer=bearer, log_key=network.log_key, **named("api")
    )
    edge = Edge(app, "Edge", stage=stage, network=network, rest=api.rest, **named("edge"))
    Operations(
        app,
        "Operations",
        stage=stage,
        alarms=messaging.alarms,
        rest=api.rest,
        distribution=edge.distribution,
        purchase=purchase.machine,
        servers=data.watched(),
        services=WITH_DATABASE,
        queue_names=messaging.queue_names,
        scheduled=[job for service in services.values() for job in service.scheduled()],
        **named("operations"),
    )
    for stack in (network, migrations, *services.values()):
        declare_logs(stack, stage, network.log_key)
    stages.refuse_gaps(app.node, stage)


if __name__ == "__main__":
    app = cdk.App(analytics_reporting=False)
    build(app)
    # AWS's own rules for solutions: `cdk synth -c nag=report`.
    if app.node.try_get_context("nag") == "report":
        reviews.report(app)
    reviews.apply(app, stages.chosen(app.node).name)
    app.synth()
