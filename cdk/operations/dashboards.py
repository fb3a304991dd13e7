"""A dashboard for each audience. The first three of an account are free, so a stage says how many it has."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.alarms import Alarms, ours
from cdk.operations import canary, money, objective, platform, queues
from cdk.operations.databases import Server
from cdk.operations.objective import CRITICAL, Requests
from cdk.stages import Stage

HALF, FULL = 12, 24


@dataclass(frozen=True)
class Shown:
    """What there is to show."""

    stage: Stage
    alarms: Alarms
    requests: Requests
    rest: apigateway.RestApi
    purchase: sfn.StateMachine
    servers: Sequence[Server]
    services: Sequence[str]
    queue_names: Sequence[str]


Rows = list[list[cloudwatch.IWidget]]


def make(scope: Construct, shown: Shown) -> None:
    """As many as the stage has, the most needed first."""
    audiences = {"operations": _operations, "business": _business, "money": _money, "database": _database}
    for name, rows in list(audiences.items())[: shown.stage.dashboards]:
        cloudwatch.Dashboard(
            scope,
            f"{name.title()}Dashboard",
            dashboard_name=f"{shown.stage.prefix}-{name}",
            default_interval=Duration.days(7) if name == "business" else Duration.hours(6),
            widgets=rows(shown),
        )


def _operations(shown: Shown) -> Rows:
    """For whoever is on call: is it up, is it fast, what is stuck."""
    waiting = [queues.age(shown.alarms, name) for name in sorted(shown.queue_names)]
    steps = [
        ours(shown.stage, "CanarySeconds", "Maximum", 5, service="platform", step=s) for s in canary.STEPS
    ]
    minute = Duration.minutes(1)
    return [
        [
            cloudwatch.SingleValueWidget(
                title="Error budget of 30 days left, %",
                metrics=[shown.requests.budget_left()],
                start="-P30D",
                end="P0D",
                set_period_to_time_range=False,
                width=6,
                height=6,
            ),
            _graph("Errors over requests", [shown.requests.ratio(Duration.minutes(5))], width=9),
            _graph("Requests", [shown.rest.metric_count(period=minute, statistic="Sum")], width=9),
        ],
        [
            _graph("p95, ms", [objective.route_latency(shown.rest, path) for path in CRITICAL.values()]),
            _graph("The canary's steps, s", steps),
        ],
        [
            _graph("Oldest message of each queue, s", waiting),
            _graph("Oldest unpublished message, s", [_oldest(shown, name) for name in shown.services]),
        ],
        [
            _graph(
                "Lambda",
                [
                    platform.of_lambda("ConcurrentExecutions", "Maximum"),
                    platform.of_lambda("Throttles", "Sum"),
                    platform.of_lambda("Errors", "Sum"),
                ],
            ),
            _graph("The firewall turns away", [platform.firewall_blocks(shown.stage)]),
        ],
    ]


def _business(shown: Shown) -> Rows:
    """For whoever sells: the canary's purchases are in none of it."""

    def sold(service: str, *names: str) -> list[cloudwatch.IMetric]:
        return [ours(shown.stage, name, "Sum", 60, service=service) for name in names]

    return [
        [
            cloudwatch.SingleValueWidget(
                title="In the time shown",
                metrics=[
                    *sold("tickets", "SeatsReserved", "PurchasesBegun", "TicketsIssued", "CheckIns"),
                    *sold("payments", "OrdersPaid", "PaymentsDeclined", "Refunds"),
                ],
                set_period_to_time_range=True,
                width=FULL,
                height=4,
            )
        ],
        [
            _graph(
                "From seat to ticket, an hour",
                sold("tickets", "SeatsReserved", "PurchasesBegun", "TicketsIssued"),
            ),
            _graph("Paid and declined, an hour", sold("payments", "OrdersPaid", "PaymentsDeclined")),
        ],
        [_graph("Refunds", sold("payments", "Refunds")), _graph("At the door", sold("tickets", "CheckIns"))],
    ]


def _money(shown: Shown) -> Rows:
    """For whoever answers for the books: is anybody owed money or a ticket."""
    minute, purchase = Duration.minutes(1), shown.purchase
    again = (
        "AttemptsSentAgain",
        "WebhooksSentAgain",
        "RefundsSentAgain",
        "LateMoneyAskedAgain",
        "SecondPayments",
    )
    return [
        [
            _graph(
                "The auditor's findings",
                [ours(shown.stage, "AuditFindings", "Maximum", 60, service="platform")],
            ),
            _graph("Whole audits", [ours(shown.stage, "AuditRuns", "Sum", 60, service="platform")]),
        ],
        [
            _graph(
                "Purchases",
                [
                    purchase.metric_started(period=minute),
                    purchase.metric_succeeded(period=minute),
                    purchase.metric_failed(period=minute),
                    purchase.metric_timed_out(period=minute),
                ],
            ),
            _graph(
                "Oldest purchase under way, s",
                [ours(shown.stage, "OldestPurchaseSeconds", "Maximum", 5, service="tickets")],
            ),
        ],
        [
            _graph(
                "Taken up again", [ours(shown.stage, name, "Sum", 60, service="payments") for name in again]
            ),
            _graph(
                "Providers that fail",
                [
                    ours(shown.stage, "CircuitOpened", "Sum", 5, service=service, circuit=circuit)
                    for service, circuit in money.CIRCUITS
                ],
            ),
        ],
    ]


def _database(shown: Shown) -> Rows:
    """For whoever looks after PostgreSQL, its proxies and the cache."""
    rows: Rows = [[_of_server(server), _of_proxy(server)] for server in shown.servers]
    rows += [[_waits(server), _pinned(shown, server)] for server in shown.servers]
    prefix = shown.stage.prefix
    load = [
        platform.of_cache(prefix, name)
        for name in ("ElastiCacheProcessingUnits", "ThrottledCmds", "Evictions")
    ]
    size = [platform.of_cache(prefix, name, "Maximum") for name in ("BytesUsedForCache", "CurrConnections")]
    return [*rows, [_graph("Valkey: load", load), _graph("Valkey: size and connections", size)]]


def _of_server(server: Server) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"{server.name}: CPU, disk, memory",
        left=[server.metric("CPUUtilization")],
        right=[server.free_disk, server.metric("FreeableMemory", "Minimum")],
        width=HALF,
    )


def _of_proxy(server: Server) -> cloudwatch.GraphWidget:
    names = ("ClientConnections", "DatabaseConnections", "MaxDatabaseConnectionsAllowed")
    return _graph(f"{server.name}: connections of the proxy", [server.proxy_metric(name) for name in names])


def _waits(server: Server) -> cloudwatch.GraphWidget:
    names = ("DatabaseConnectionsBorrowLatency", "QueryResponseLatency")
    waits = [server.proxy_metric(name, "Average") for name in names]
    return _graph(f"{server.name}: waits, microseconds", waits)


def _pinned(shown: Shown, server: Server) -> cloudwatch.GraphWidget:
    reached = [server.reached("READ_WRITE")]
    if shown.stage.databases.standbys:
        reached.append(server.reached("READ_ONLY"))
    return cloudwatch.GraphWidget(
        title=f"{server.name}: pinned, and whether the proxy reaches it",
        left=[server.proxy_metric("DatabaseConnectionsCurrentlySessionPinned")],
        right=reached,
        width=HALF,
    )


def _oldest(shown: Shown, service: str) -> cloudwatch.IMetric:
    return ours(shown.stage, "OldestMessageSeconds", "Maximum", 5, service=service)


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int = HALF) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, height=6)
