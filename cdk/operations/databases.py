"""PostgreSQL and the proxies before it: room, load, connections, and what a fail-over does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_rds as rds

from cdk.alarms import MISSING_IS_BAD, Alarms

MINUTE, FIVE_MINUTES = Duration.minutes(1), Duration.minutes(5)
GIGABYTE = 1_000_000_000
MICROSECONDS = 1_000_000

Role = Literal["READ_WRITE", "READ_ONLY"]  # of what a proxy reaches


@dataclass(frozen=True)
class Server:
    """A database server with its proxy, by the names that CloudWatch knows them by.

    Attributes:
        name: as in the names of alarms: `Postgres`, `Tickets`.
        identifier: of the instance, or of the cluster.
        proxy: the proxy's name.
    """

    name: str
    identifier: str
    proxy: str
    kind: Literal["instance", "cluster"] = "instance"

    def metric(self, name: str, statistic: str = "Average") -> cloudwatch.Metric:
        """A metric of the server; of a cluster, over all of its machines."""
        dimension = "DBInstanceIdentifier" if self.kind == "instance" else "DBClusterIdentifier"
        return self._rds(name, {dimension: self.identifier}, statistic, FIVE_MINUTES)

    @property
    def free_disk(self) -> cloudwatch.Metric:
        """In bytes. A cluster's storage grows by itself; what can fill up is a machine's disk, for sorting and logs."""
        return self.metric("FreeStorageSpace" if self.kind == "instance" else "FreeLocalStorage", "Minimum")

    def proxy_metric(self, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """A metric of the proxy over all of its endpoints and targets."""
        return self._rds(name, {"ProxyName": self.proxy}, statistic, MINUTE)

    def reached(self, role: Role) -> cloudwatch.Metric:
        """In %, how much of the time the proxy reached its writer, or its standbys.

        AWS publishes it by role alone, and not for a proxy as a whole:
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html
        """
        of = {"ProxyName": self.proxy, "TargetGroup": "default", "TargetRole": role}
        return self._rds("AvailabilityPercentage", of, "Average", MINUTE)

    def _rds(self, name: str, of: dict[str, str], statistic: str, period: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/RDS", metric_name=name, dimensions_map=of, statistic=statistic, period=period
        )


def watch(alarms: Alarms, servers: Sequence[Server]) -> None:
    """The alarms of every server and proxy, and RDS's own words on those of this account."""
    for server in servers:
        _watch_server(alarms, server)
        _watch_proxy(alarms, server)
    for kind in sorted({f"db-{server.kind}" for server in servers} | {"db-proxy"}):
        _tell_events(alarms, kind)


def _watch_server(alarms: Alarms, server: Server) -> None:
    at = f"{server.name}: "
    alarms.on(
        f"DatabaseBusy{server.name}",
        server.metric("CPUUtilization"),
        at + "CPU in %.",
        page="database-busy",
        threshold=80,
        periods=2,
    )
    alarms.on(
        f"DatabaseFull{server.name}",
        server.free_disk,
        at + "bytes left on the disk.",
        page="database-full",
        threshold=2 * GIGABYTE,
        below=True,
    )
    alarms.on(
        f"DatabaseMemory{server.name}",
        server.metric("FreeableMemory", "Minimum"),
        at + "bytes of memory left.",
        page="database-memory",
        threshold=0.1 * GIGABYTE,
        below=True,
        periods=3,
    )


def _watch_proxy(alarms: Alarms, server: Server) -> None:
    at = f"Proxy of {server.name}: "
    alarms.on(
        f"ProxyPinned{server.name}",
        server.proxy_metric("DatabaseConnectionsCurrentlySessionPinned"),
        at + "connections are pinned to one client each, so that others wait for them.",
        page="proxy-pinned",
        threshold=5,
        periods=5,
    )
    alarms.on(
        f"ProxyWaits{server.name}",
        server.proxy_metric("DatabaseConnectionsBorrowLatency", "Average"),
        at + "a client waits half a second for a connection: there are too few.",
        page="proxy-waits",
        threshold=0.5 * MICROSECONDS,
        periods=3,
    )
    _watch_reach(
        alarms, server, "", "READ_WRITE", at + "in %, how much of the time it reached its database.", 2
    )
    if alarms.stage.databases.standbys:
        meaning = (
            at + "in %, how much of the time it reached its standbys; a fail-over would have none to go to."
        )
        _watch_reach(alarms, server, "Standby", "READ_ONLY", meaning, 10)


def _watch_reach(alarms: Alarms, server: Server, what: str, role: Role, meaning: str, minutes: int) -> None:
    alarms.on(
        f"ProxyCutOff{what}{server.name}",
        server.reached(role),
        meaning,
        page="proxy-cut-off",
        threshold=90,
        below=True,
        periods=minutes,
        missing=MISSING_IS_BAD,
    )


def _tell_events(alarms: Alarms, kind: str) -> None:
    """Fail-overs, failures and full disks, in RDS's own words."""
    # A category that the type does not know is an error of the deployment.
    categories = {"db-proxy": ["failure"], "db-cluster": ["failover", "failure", "maintenance"]}
    subscription = rds.CfnEventSubscription(
        alarms.scope,
        f"Events{''.join(word.title() for word in kind.split('-'))}",
        sns_topic_arn=alarms.topic.topic_arn,
        source_type=kind,
        enabled=True,
        event_categories=categories.get(
            kind, ["failover", "failure", "low storage", "recovery", "maintenance", "configuration change"]
        ),
    )
    subscription.add_metadata("run-book", "docs/run-book/database-fails-over.md")
