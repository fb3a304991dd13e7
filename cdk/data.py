"""What has state: PostgreSQL behind its proxy, the cache, the secrets, and our standing with the mail service."""

import json
import re
from typing import Any

from aws_cdk import Duration, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from constructs import Construct

from cdk.handler import Use, allow
from cdk.network import ISOLATED, Network
from cdk.operations.databases import Server
from cdk.stages import Stage

AUDITOR = "auditor"  # as functions/platform/auditor_rights.py calls it

POSTGRES = ec2.Port.tcp(5432)
CACHE_PORTS = ec2.Port.tcp_range(6379, 6380)  # serverless Valkey: the primary's and the readers' port

# A ceiling on the bill: what is cached may always be dropped.
CACHE_LIMITS = elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
    data_storage=elasticache.CfnServerlessCache.DataStorageProperty(unit="GB", maximum=5),
    ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(maximum=30_000),
)


# Statements hold addresses, names and hashes, and the log goes to CloudWatch: neither the statement nor the row of an
# error is logged, nor slow statements (pg_stat_statements shows those, without values).
PARAMETERS = {
    "rds.force_ssl": "1",
    "log_error_verbosity": "terse",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_statement": "none",
}


class Database:
    """One service's database: a name on a server, and the one user that the service's functions sign in as.

    All services share a server today. A server for each is a matter of giving another one here.
    """

    def __init__(self, server: "PostgresServer", service: str) -> None:
        self._server, self.name, self.user = server, service, f"{service}_app"

    def connect(self, function: lambda_.Function) -> None:
        """A use: connect through the proxy with a token that the function's role signs; there is no password."""
        self._server.connect(function, self.user)
        function.add_environment("DATABASE_NAME", self.name)


class PostgresServer(Construct):
    """A PostgreSQL 18 instance and the RDS Proxy that functions reach it through, with IAM and TLS."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, network: Network, key: kms.IKey, users: list[str]
    ) -> None:
        super().__init__(scope, id)
        self._stage, self._network = stage, network
        self.instance = self._instance(key)
        self.proxy = self._proxy(users)
        self.proxy.connections.allow_from(network.functions, POSTGRES, "functions")
        self.instance.connections.allow_from(network.migrations, POSTGRES, "migrations")

    def connect(self, function: lambda_.Function, user: str) -> None:
        """Let a function sign in at the proxy as this user."""
        self.proxy.grant_connect(function, user)
        function.add_environment("DATABASE_HOST", self.proxy.endpoint)
        function.add_environment("DATABASE_PORT", self.instance.db_instance_endpoint_port)
        function.add_environment("DATABASE_USER", user)

    def _instance(self, key: kms.IKey) -> rds.DatabaseInstance:
        stage = self._stage
        return rds.DatabaseInstance(
            self,
            "Instance",
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3),
            instance_type=ec2.InstanceType(stage.instance_type),
            vpc=self._network.vpc,
            vpc_subnets=ISOLATED,
            multi_az=stage.multi_az,
            credentials=rds.Credentials.from_generated_secret("box_office_admin", encryption_key=key),
            iam_authentication=True,
            storage_encrypted=True,
            storage_encryption_key=key,
            storage_type=rds.StorageType.GP3,
            allocated_storage=20,
            max_allocated_storage=500,
            backup_retention=Duration.days(stage.backup_days),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=["postgresql"],
            parameters=PARAMETERS,
            deletion_protection=stage.keep_data,
            removal_policy=RemovalPolicy.SNAPSHOT if stage.keep_data else RemovalPolicy.DESTROY,
        )

    def _proxy(self, users: list[str]) -> rds.DatabaseProxy:
        # The proxy signs in to the instance as the very user that signed in to it, so it needs the same permission.
        role = iam.Role(self, "ProxyRole", assumed_by=iam.ServicePrincipal("rds.amazonaws.com"))
        for user in users:
            self.instance.grant_connect(role, user)
        return rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_instance(self.instance),
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            role=role,
            vpc=self._network.vpc,
            vpc_subnets=ISOLATED,
            require_tls=True,
            borrow_timeout=Duration.seconds(5),
            idle_client_timeout=Duration.minutes(10),
            max_connections_percent=90,
            max_idle_connections_percent=20,
        )


class Cache(Construct):
    """Serverless Valkey with one user that signs in by IAM."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self._name, self._user_name = stage.prefix, f"{stage.prefix}-app"
        group = ec2.SecurityGroup(
            self, "Network", vpc=network.vpc, description="The cache", allow_all_outbound=False
        )
        group.add_ingress_rule(network.functions, CACHE_PORTS, "functions")
        self._user = elasticache.CfnUser(
            self,
            "User",
            engine="valkey",
            user_id=self._user_name,
            user_name=self._user_name,  # with IAM the two must be equal
            authentication_mode={"Type": "iam"},
            access_string="on ~* +@all -@admin -@dangerous",
        )
        users = elasticache.CfnUserGroup(
            self, "Users", engine="valkey", user_group_id=stage.prefix, user_ids=[self._user.ref]
        )
        self._cache = elasticache.CfnServerlessCache(
            self,
            "Valkey",
            engine="valkey",
            major_engine_version="8",
            serverless_cache_name=self._name,
            subnet_ids=network.vpc.select_subnets(subnet_group_name="isolated").subnet_ids,
            security_group_ids=[group.security_group_id],
            user_group_id=users.ref,
            kms_key_id=key.key_arn,
            cache_usage_limits=CACHE_LIMITS,
        )

    def connect(self, function: lambda_.Function) -> None:
        """A use: connect to the cache with a token that the function's role signs for the cache of this name."""
        allow(function, ["elasticache:Connect"], self._cache.attr_arn, self._user.attr_arn)
        function.add_environment("CACHE_HOST", self._cache.attr_endpoint_address)
        function.add_environment("CACHE_PORT", self._cache.attr_endpoint_port)
        function.add_environment("CACHE_NAME", self._name)
        function.add_environment("CACHE_USER", self._user_name)


class Secret:
    """A secret and its uses. `variable` is the environment variable that tells a function its ARN."""

    def __init__(self, secret: secretsmanager.ISecret, key: kms.IKey, variable: str) -> None:
        self._secret, self._key, self._variable = secret, key, variable

    def read(self, function: lambda_.Function) -> None:
        """A use: read the secret."""
        allow(function, ["secretsmanager:GetSecretValue"], self._secret.secret_arn)
        allow(function, ["kms:Decrypt"], self._key.key_arn)
        function.add_environment(self._variable, self._secret.secret_arn)

    def make(self, function: lambda_.Function) -> None:
        """A use: read the secret and put a new value into it."""
        self.read(function)
        allow(function, ["secretsmanager:PutSecretValue"], self._secret.secret_arn)
        allow(function, ["kms:GenerateDataKey"], self._key.key_arn)


class Data(Stack):
    """Everything with state. What the tables of the services call `on.data`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        network: Network,
        services: list[str],
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        self._key = kms.Key(self, "Key", alias=f"alias/{stage.prefix}-data", enable_key_rotation=True)
        users = [*(f"{service}_app" for service in services), AUDITOR]
        self.server = PostgresServer(
            self, "Postgres", stage=stage, network=network, key=self._key, users=users
        )
        self._databases = {service: Database(self.server, service) for service in services}
        self.cache: Use = Cache(self, "Cache", stage=stage, network=network, key=self._key).connect

        self.sender = ses.EmailIdentity(self, "Sender", identity=ses.Identity.domain(stage.mail_domain))

        # An operator puts the providers' keys in by hand, and jobs make the signing keys.
        self.stripe = self._secret("Stripe", {"secretKey": "", "webhookSecret": "", "publishableKey": ""})
        self.paypal = self._secret("Paypal", {"clientId": "", "clientSecret": "", "webhookId": ""})
        self.sendgrid = self._secret("Sendgrid", {"apiKey": "", "webhookPublicKey": ""})
        self.canary = self._secret("Canary", {"email": "", "password": ""})
        self.token_keys = self._secret("TokenKeys", {"keys": []})
        self.ticket_keys = self._secret("TicketKeys", {"keys": []})
        admin = self.server.instance.secret
        assert admin is not None
        self.admin = Secret(admin, self._key, "DATABASE_ADMIN_SECRET_ARN")

    def deliver(self, function: lambda_.Function) -> None:
        """A use: send mail from our domain."""
        allow(function, ["ses:SendEmail", "ses:SendRawEmail"], self.sender.email_identity_arn)

    def watched(self) -> list[Server]:
        """Every server with its proxy, for those who watch them."""
        return [Server("Postgres", self.server.instance.instance_identifier, self.server.proxy.db_proxy_name)]

    def database(self, service: str) -> Use:
        """A use: connect to the database of `service`."""
        return self._databases[service].connect

    def audit(self, function: lambda_.Function) -> None:
        """A use: connect to the database of every service, as the role that may read what an audit needs."""
        self.server.connect(function, AUDITOR)
        for service, database in self._databases.items():
            function.add_environment(f"DATABASE_NAME_{service.upper()}", database.name)

    def _secret(self, name: str, placeholder: dict[str, Any]) -> Secret:
        """A secret that holds nothing yet, in the shape it will have. `TokenKeys` is told as TOKEN_KEYS_SECRET_ARN.

        CloudFormation writes the placeholder once, and again only if the template's changes.
        """
        words = re.findall("[A-Z][a-z]+", name)
        secret = secretsmanager.Secret(
            self,
            name,
            secret_name=f"{self._stage.prefix}-{'-'.join(words).lower()}",
            encryption_key=self._key,
            secret_string_value=SecretValue.unsafe_plain_text(json.dumps(placeholder)),
        )
        return Secret(secret, self._key, f"{'_'.join(words).upper()}_SECRET_ARN")
