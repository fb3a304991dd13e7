"""Who did what in the account, and whether what was promised is still so: CloudTrail, and AWS Config with its rules.

Both look at a whole account, whatever else lies in it. An account has one recorder in a region, and
a second trail is paid for: so one stage of each account at most has this (`Stage.account_guard`), production.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_config as config
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.stages import Stage

TRAIL_DAYS, HISTORY_DAYS = 400, 400  # a year, and time to look into what was found at its end

# What we promise, and the rule of AWS's by which Config finds out that it is not so any more. The last three are for
# people and keys of the account, which no template makes.
RULES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "databases-encrypted": ("RDS_STORAGE_ENCRYPTED", {}),
    "databases-in-two-zones": ("RDS_CLUSTER_MULTI_AZ_ENABLED", {}),
    "databases-kept": ("RDS_CLUSTER_DELETION_PROTECTION_ENABLED", {}),
    "databases-by-iam": ("RDS_CLUSTER_IAM_AUTHENTICATION_ENABLED", {}),
    "databases-private": ("RDS_INSTANCE_PUBLIC_ACCESS_CHECK", {}),
    "snapshots-private": ("RDS_SNAPSHOTS_PUBLIC_PROHIBITED", {}),
    "buckets-not-read-by-all": ("S3_BUCKET_PUBLIC_READ_PROHIBITED", {}),
    "buckets-not-written-by-all": ("S3_BUCKET_PUBLIC_WRITE_PROHIBITED", {}),
    "buckets-by-tls": ("S3_BUCKET_SSL_REQUESTS_ONLY", {}),
    "buckets-encrypted": ("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", {}),
    "topics-encrypted": ("SNS_ENCRYPTED_KMS", {}),
    "keys-not-deleted": ("KMS_CMK_NOT_SCHEDULED_FOR_DELETION", {}),
    "keys-rotated": ("CMK_BACKING_KEY_ROTATION_ENABLED", {}),
    "functions-not-public": ("LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", {}),
    "api-behind-waf": ("API_GW_ASSOCIATED_WITH_WAF", {}),
    "default-group-closed": ("VPC_DEFAULT_SECURITY_GROUP_CLOSED", {}),
    "no-ssh-from-anywhere": ("INCOMING_SSH_DISABLED", {}),
    "volumes-encrypted": ("ENCRYPTED_VOLUMES", {}),
    "trail-is-on": ("CLOUD_TRAIL_ENABLED", {}),
    "trail-encrypted": ("CLOUD_TRAIL_ENCRYPTION_ENABLED", {}),
    "trail-not-forged": ("CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", {}),
    "no-policy-for-everything": ("IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", {}),
    "root-signs-in-with-two-things": ("ROOT_ACCOUNT_MFA_ENABLED", {}),
    "root-has-no-key": ("IAM_ROOT_ACCESS_KEY_CHECK", {}),
    "keys-of-people-renewed": ("ACCESS_KEYS_ROTATED", {"maxAccessKeyAge": 90}),
}


class Compliance(Stack):
    """The account's trail and its rules. What a rule finds comes by the topic of alarms (`cdk.operations.notices`)."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, exports: s3.IBucket, **options: Any
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        self._key = kms.Key(
            self,
            "Key",
            alias=f"alias/{stage.prefix}-compliance",
            description=f"{stage.prefix}: the account's trail and history",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=stage.removal,
        )
        self._trail(exports)
        self._rules(self._recorder())

    def _trail(self, exports: s3.IBucket) -> None:
        """Every call to an API, in all regions, and every reading of what people asked to see of themselves.

        Files are signed, so that one that was changed or is missing shows (`aws cloudtrail validate-logs`).
        """
        name = f"{self._stage.prefix}-trail"
        arn = self.format_arn(service="cloudtrail", resource="trail", resource_name=name)
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceArn": arn}},
            )
        )
        trail = cloudtrail.Trail(
            self,
            "Trail",
            trail_name=name,
            bucket=self._bucket("trail", TRAIL_DAYS),
            encryption_key=self._key,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            management_events=cloudtrail.ReadWriteType.ALL,
        )
        trail.add_s3_event_selector([cloudtrail.S3EventSelector(bucket=exports)])

    def _recorder(self) -> list[Construct]:
        """What Config needs before it takes a rule: a recorder of all resources, and where it puts its history."""
        bucket = self._bucket("history", HISTORY_DAYS)
        role = iam.Role(
            self,
            "Recorder",
            assumed_by=iam.ServicePrincipal("config.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWS_ConfigRole")],
        )
        mine = bucket.arn_for_objects(f"AWSLogs/{self.account}/Config/*")
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetBucketAcl"], resources=[bucket.bucket_arn]))
        # As Config's guide has it: the channel tries all of it when it is made.
        # https://docs.aws.amazon.com/config/latest/developerguide/iamrole-permissions.html
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject", "s3:PutObjectAcl"],
                resources=[mine],
                conditions={"StringLike": {"s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self._key.key_arn])
        )
        recorder = config.CfnConfigurationRecorder(
            self,
            "Configurations",
            name=f"{self._stage.prefix}-configurations",
            role_arn=role.role_arn,
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=True
            ),
            # Each change is paid for; network interfaces of functions change all day long, and once a day is enough.
            recording_mode=config.CfnConfigurationRecorder.RecordingModeProperty(recording_frequency="DAILY"),
        )
        channel = config.CfnDeliveryChannel(
            self,
            "History",
            name=f"{self._stage.prefix}-history",
            s3_bucket_name=bucket.bucket_name,
            s3_kms_key_arn=self._key.key_arn,
        )
        channel.node.add_dependency(role)
        return [recorder, channel]

    def _rules(self, after: list[Construct]) -> None:
        for name, (identifier, parameters) in RULES.items():
            rule = config.ManagedRule(
                self,
                "".join(word.title() for word in name.split("-")),
                config_rule_name=f"{self._stage.prefix}-{name}",
                identifier=identifier,
                input_parameters=dict(parameters),
            )
            rule.node.add_dependency(*after)

    def _bucket(self, name: str, days: int) -> s3.Bucket:
        """Where nothing is changed or deleted before its time."""
        return s3.Bucket(
            self,
            f"{name.title()}Files",
            bucket_name=self._stage.bucket(name),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            versioned=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(days), noncurrent_version_expiration=Duration.days(30)
                )
            ],
            removal_policy=self._stage.removal,
        )
