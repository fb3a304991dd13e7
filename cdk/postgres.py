"""PostgreSQL and the proxies before it: one small instance for all services, or a cluster for each.

Functions sign in at the proxy as their service's user, with a token that their role signs and over TLS; the proxy signs
in to the server in the same way, as the same user. The one password that there is, the administrator's, is RDS's own:
RDS makes it, keeps it in Secrets Manager and changes it every week, and only the migrations read it.
"""

from abc import abstractmethod
from typing import Any, Literal

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from cdk.handler import allow
from cdk.network import ISOLATED, Network
from cdk.operations.databases import Server
from cdk.stages import Stage

ADMINISTRATOR = "box_office_admin"
AUDITOR = "auditor"  # as functions/platform/auditor_rights.py calls it
PORT = 5432

# One major version on the laptop, on the instance and on the clusters.
INSTANCE_VERSION = rds.PostgresEngineVersion.VER_18_3
CLUSTER_VERSION = rds.AuroraPostgresEngineVersion.VER_18_3

# Statements hold addresses, names and hashes, and the log goes to CloudWatch: neither the statement nor the row of an
# error is logged, nor slow statements (pg_stat_statements shows those, without values).
PARAMETERS = {
    "rds.force_ssl": "1",
    "log_error_verbosity": "terse",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_statement": "none",
}


class PostgresServer(Construct):
    """A server with its proxy.

    Args:
        id: `Postgres` if all services share it, else the service's name: `Tickets`.
        services: whose databases are on it.
    """

    kind: Literal["instance", "cluster"]

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        network: Network,
        key: kms.IKey,
        services: list[str],
    ) -> None:
        super().__init__(scope, id)
        self.services, self._stage, self._network, self._key = services, stage, network, key
        shared = stage.databases.layout == "shared"
        self._identifier = stage.prefix if shared else f"{stage.prefix}-{id.lower()}"
        group = self._log_group("Logs", f"{self.kind}/{self._identifier}/postgresql")
        self.database = self._made()
        self.database.node.add_dependency(group)
        group = self._log_group("ProxyLogs", f"proxy/{self._identifier}")
        self.proxy = self._proxy()
        self.proxy.node.add_dependency(group)
        self.reader = self._reader() if stage.databases.standbys else None

    def connect(self, function: lambda_.Function, user: str) -> None:
        """Let a function sign in at the proxy as this user."""
        self.proxy.grant_connect(function, user)
        function.add_environment("DATABASE_HOST", self.proxy.endpoint)
        function.add_environment("DATABASE_PORT", self._port)
        function.add_environment("DATABASE_USER", user)

    def read(self, function: lambda_.Function) -> None:
        """Tell a function that may sign in at the proxy where it is led to a standby, if there is one."""
        if self.reader is not None:
            function.add_environment("DATABASE_READER_HOST", self.reader.endpoint)

    def administer(self, function: lambda_.Function) -> None:
        """Let a function sign in to the server itself, as its administrator."""
        secret = self._administrator_s_secret
        allow(function, ["secretsmanager:GetSecretValue"], secret)
        allow(function, ["kms:Decrypt"], self._key.key_arn)
        for service in self.services:
            function.add_environment(f"{service.upper()}_ADMIN_SECRET_ARN", secret)
            function.add_environment(f"{service.upper()}_ADMIN_HOST", self._host)
        function.add_environment("ADMIN_PORT", self._port)

    def watched(self) -> Server:
        """The server as those know it who watch it."""
        return Server(self.node.id, self._identifier, self._identifier, self.kind)

    @property
    def users(self) -> list[str]:
        """Who signs in through the proxy."""
        return [*(f"{service}_app" for service in self.services), AUDITOR]

    @abstractmethod
    def _made(self) -> rds.DatabaseInstance | rds.DatabaseCluster: ...

    @property
    @abstractmethod
    def _target(self) -> rds.ProxyTarget: ...

    @property
    @abstractmethod
    def _host(self) -> str: ...

    @property
    @abstractmethod
    def _port(self) -> str: ...

    @property
    @abstractmethod
    def _administrator_s_secret(self) -> str:
        """Its ARN."""

    @property
    def _options(self) -> dict[str, Any]:
        """What every server has: closed, encrypted, without a password that somebody could know."""
        keep = self._stage.keep_data
        return {
            "vpc": self._network.vpc,
            "vpc_subnets": ISOLATED,
            "security_groups": [self._closed("Databases", self._network.databases)],
            "credentials": rds.Credentials.from_username(ADMINISTRATOR, encryption_key=self._key),
            "manage_master_user_password": True,
            "iam_authentication": True,
            "storage_encrypted": True,
            "storage_encryption_key": self._key,
            "copy_tags_to_snapshot": True,
            "cloudwatch_logs_exports": ["postgresql"],
            "parameters": PARAMETERS,
            "deletion_protection": keep,
            "removal_policy": RemovalPolicy.SNAPSHOT if keep else RemovalPolicy.DESTROY,
        }

    def _log_group(self, id: str, of: str) -> logs.LogGroup:
        """Where RDS writes a log. RDS would make the group itself, and keep what is in it for ever."""
        return logs.LogGroup(
            self,
            id,
            log_group_name=f"/aws/rds/{of}",
            encryption_key=self._network.log_key,
            retention=self._stage.logs,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _closed(self, id: str, group: ec2.ISecurityGroup) -> ec2.ISecurityGroup:
        """A group whose rules are the network's affair: constructs of RDS would add their own."""
        return ec2.SecurityGroup.from_security_group_id(self, id, group.security_group_id, mutable=False)

    def _proxy(self) -> rds.DatabaseProxy:
        # The proxy signs in to the server as the very user that signed in to it, so it needs the same permission.
        role = iam.Role(self, "ProxyRole", assumed_by=iam.ServicePrincipal("rds.amazonaws.com"))
        for user in self.users:
            self.database.grant_connect(role, user)
        self._proxies = self._closed("Proxies", self._network.proxies)
        return rds.DatabaseProxy(
            self,
            "Proxy",
            db_proxy_name=self._identifier,
            proxy_target=self._target,
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            role=role,
            vpc=self._network.vpc,
            vpc_subnets=ISOLATED,
            security_groups=[self._proxies],
            require_tls=True,
            borrow_timeout=Duration.seconds(5),
            idle_client_timeout=Duration.minutes(10),
            max_connections_percent=90,
            max_idle_connections_percent=20,
        )

    def _reader(self) -> rds.DatabaseProxyEndpoint:
        return rds.DatabaseProxyEndpoint(
            self,
            "Reader",
            db_proxy=self.proxy,
            db_proxy_endpoint_name=f"{self._identifier}-reader",
            target_role=rds.ProxyEndpointTargetRole.READ_ONLY,
            vpc=self._network.vpc,
            vpc_subnets=ISOLATED,
            security_groups=[self._proxies],
        )


class Instance(PostgresServer):
    """The cheapest server there is: one machine, and no other when it is gone."""

    kind = "instance"

    def _made(self) -> rds.DatabaseInstance:
        databases = self._stage.databases
        return rds.DatabaseInstance(
            self,
            "Instance",
            instance_identifier=self._identifier,
            engine=rds.DatabaseInstanceEngine.postgres(version=INSTANCE_VERSION),
            instance_type=ec2.InstanceType(databases.size),
            storage_type=rds.StorageType.GP3,
            allocated_storage=20,
            max_allocated_storage=100,
            backup_retention=Duration.days(databases.backup_days),
            auto_minor_version_upgrade=True,
            **self._options,
        )

    @property
    def _instance(self) -> rds.DatabaseInstance:
        assert isinstance(self.database, rds.DatabaseInstance)
        return self.database

    @property
    def _target(self) -> rds.ProxyTarget:
        return rds.ProxyTarget.from_instance(self._instance)

    @property
    def _host(self) -> str:
        return self._instance.db_instance_endpoint_address

    @property
    def _port(self) -> str:
        return self._instance.db_instance_endpoint_port

    @property
    def _administrator_s_secret(self) -> str:
        resource = self._instance.node.default_child
        assert isinstance(resource, rds.CfnDBInstance)
        return resource.attr_master_user_secret_secret_arn


class Cluster(PostgresServer):
    """A writer, and standbys in other zones that are read from until one of them has to take over."""

    kind = "cluster"

    def _made(self) -> rds.DatabaseCluster:
        databases = self._stage.databases
        return rds.DatabaseCluster(
            self,
            "Cluster",
            cluster_identifier=self._identifier,
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=CLUSTER_VERSION),
            writer=self._machine("Writer", 0),
            readers=[self._machine(f"Standby{n}", n) for n in range(1, databases.standbys + 1)],
            backup=rds.BackupProps(retention=Duration.days(databases.backup_days)),
            **self._options,
        )

    def _machine(self, id: str, number: int) -> rds.IClusterInstance:
        """A machine of the cluster. Whichever writes at the moment, the lowest number takes over next."""
        return rds.ClusterInstance.provisioned(
            id,
            instance_identifier=f"{self._identifier}-{number + 1}",
            instance_type=ec2.InstanceType(self._stage.databases.size_of(self.services[0])),
            promotion_tier=number,
            auto_minor_version_upgrade=True,
            publicly_accessible=False,
            enable_performance_insights=True,
            performance_insight_encryption_key=self._key,
        )

    @property
    def _cluster(self) -> rds.DatabaseCluster:
        assert isinstance(self.database, rds.DatabaseCluster)
        return self.database

    @property
    def _target(self) -> rds.ProxyTarget:
        return rds.ProxyTarget.from_cluster(self._cluster)

    @property
    def _host(self) -> str:
        return self._cluster.cluster_endpoint.hostname

    @property
    def _port(self) -> str:
        return str(PORT)

    @property
    def _administrator_s_secret(self) -> str:
        resource = self._cluster.node.default_child
        assert isinstance(resource, rds.CfnDBCluster)
        return resource.attr_master_user_secret_secret_arn


class Database:
    """One service's database: a name on a server, and the one user that the service's functions sign in as."""

    def __init__(self, server: PostgresServer, service: str) -> None:
        self._server, self.name, self.user = server, service, f"{service}_app"

    def connect(self, function: lambda_.Function) -> None:
        """A use: connect through the proxy with a token that the function's role signs; there is no password."""
        self._server.connect(function, self.user)
        function.add_environment("DATABASE_NAME", self.name)

    def read(self, function: lambda_.Function) -> None:
        """A use: the same, and read from a standby what may be a moment old (`shared.database.Database.standby`)."""
        self.connect(function)
        self._server.read(function)

    def audit(self, function: lambda_.Function) -> None:
        """Let the auditor sign in. It asks several servers, so each is told by its service's name."""
        self._server.connect(function, AUDITOR)
        function.add_environment(f"DATABASE_NAME_{self.name.upper()}", self.name)
        function.add_environment(f"DATABASE_HOST_{self.name.upper()}", self._server.proxy.endpoint)


class Databases:
    """The databases of all services, on one server or on one for each."""

    def __init__(
        self, scope: Construct, *, stage: Stage, network: Network, key: kms.IKey, services: list[str]
    ) -> None:
        if stage.databases.layout == "shared":
            self.servers: list[PostgresServer] = [
                Instance(scope, "Postgres", stage=stage, network=network, key=key, services=services)
            ]
        else:
            self.servers = [
                Cluster(scope, service.title(), stage=stage, network=network, key=key, services=[service])
                for service in services
            ]
        self._databases = {
            service: Database(server, service) for server in self.servers for service in server.services
        }

    def of(self, service: str) -> Database:
        """The database of `service`."""
        return self._databases[service]

    def audit(self, function: lambda_.Function) -> None:
        """A use: connect to the database of every service, as the role that may read what an audit needs."""
        for database in self._databases.values():
            database.audit(function)

    def administer(self, function: lambda_.Function) -> None:
        """A use: sign in to every server as its administrator."""
        for server in self.servers:
            server.administer(function)
