"""The cache: serverless Valkey. What is in it may always be dropped; a snapshot saves the minutes of filling it."""

from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.handler import allow
from cdk.network import Network
from cdk.stages import Stage

# A ceiling on the bill.
LIMITS = elasticache.CfnServerlessCache.CacheUsageLimitsProperty(
    data_storage=elasticache.CfnServerlessCache.DataStorageProperty(unit="GB", maximum=5),
    ecpu_per_second=elasticache.CfnServerlessCache.ECPUPerSecondProperty(maximum=30_000),
)


class Cache(Construct):
    """Serverless Valkey with one user that signs in by IAM. It speaks TLS and nothing else, and lies in two zones."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, network: Network, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self._name, self._user_name = stage.prefix, f"{stage.prefix}-app"
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
        days = stage.cache_snapshot_days
        self._cache = elasticache.CfnServerlessCache(
            self,
            "Valkey",
            engine="valkey",
            major_engine_version="8",
            serverless_cache_name=self._name,
            subnet_ids=network.vpc.select_subnets(subnet_group_name="isolated").subnet_ids,
            security_group_ids=[network.cache.security_group_id],
            user_group_id=users.ref,
            kms_key_id=key.key_arn,
            cache_usage_limits=LIMITS,
            snapshot_retention_limit=days or None,
            daily_snapshot_time="04:00" if days else None,
        )

    def connect(self, function: lambda_.Function) -> None:
        """A use: connect to the cache with a token that the function's role signs for the cache of this name."""
        allow(function, ["elasticache:Connect"], self._cache.attr_arn, self._user.attr_arn)
        function.add_environment("CACHE_HOST", self._cache.attr_endpoint_address)
        function.add_environment("CACHE_PORT", self._cache.attr_endpoint_port)
        function.add_environment("CACHE_NAME", self._name)
        function.add_environment("CACHE_USER", self._user_name)
