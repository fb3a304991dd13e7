"""Rules of Control Tower's Guard, which cannot be told: the test that runs them reads these rows.

Guard knows no construct: `where` is the stack and the logical id, as in `Api/AccessLogD598EBE9`.
"""

from cdk.reviews import reasons
from cdk.reviews.review import Review

_OTHER_STACK = "It is there, in another stack, where a rule that reads one template does not look."
_RETENTION = (
    "Two weeks to three months, by stage: what happened to an order is in its events, which are kept."
)
_CERTIFICATE = "With CloudFront's own name, AWS has the certificate; a stage with a domain brings its own."
_NO_ROOT = "Neither an API nor pictures have a page at their root."
_ONE_ORIGIN = "One API, one bucket: another origin would be another system."
_NO_OBJECT_LOCK = (
    "Pictures and exports are to go when their owner does; the trail is signed, and old versions are kept."
)
_NOBODY_LISTENS = "Nothing is to happen when a file comes into this bucket."
_PUBLIC_FILES = "Encrypted by S3's own key: what everybody may read needs no key of ours."
_TRAIL = "EventBridge tells of what somebody must hear of at once; the rest is read in the bucket."
_PARTS = "A part of a composite alarm, which is the one that wakes somebody."
_GRANTS = (
    "The account's own policies decide who may use a key; services get grants from it as they need them."
)
_UPGRADE_LOG = "The other log is of major upgrades, which somebody watches while they are done."
_LAST_STOP = "A dead-letter queue is the last one: what is in it raises an alarm, and waits for an operator."

ROWS: tuple[Review, ...] = (
    Review("api_gw_v1_execution_logging_enabled_check", "AWS::ApiGateway::Stage", reasons.ACCESS),
    Review("cloud_trail_cloud_watch_logs_enabled_check", "AWS::CloudTrail::Trail", _TRAIL),
    *(
        Review(f"cloudfront_{rule}_check", "AWS::CloudFront::Distribution", reason)
        for rule, reason in {
            "access_logs_enabled": reasons.ACCESS,
            "custom_ssl_certificate": _CERTIFICATE,
            "security_policy": _CERTIFICATE,
            "sni_enabled": _CERTIFICATE,
            "default_root_object_configured": _NO_ROOT,
            "origin_failover_enabled": _ONE_ORIGIN,
        }.items()
    ),
    Review(
        "cloudwatch_alarm_action_check",
        "AWS::CloudWatch::Alarm",
        _PARTS,
        where="Operations/ErrorBudget.*",
    ),
    Review("cloudwatch_log_group_encrypted_check", "AWS::Logs::LogGroup", _OTHER_STACK),
    Review("cloudwatch_log_group_retention_period_check", "AWS::Logs::LogGroup", _RETENTION),
    Review("kms_create_grant_aws_service_check", "AWS::KMS::Key", _GRANTS),
    Review("lambda_function_public_access_prohibited_check", "AWS::Lambda::Permission", _OTHER_STACK),
    Review(
        "lambda_inside_vpc_check",
        "AWS::Lambda::Function",
        _OTHER_STACK,
        where=r"\w+/(?!AWSCDKTrigger|CustomVpcRestrict).*",
    ),
    Review(
        "lambda_inside_vpc_check",
        "AWS::Lambda::Function",
        reasons.DEPLOYING,
        where=r"\w+/(AWSCDKTrigger|CustomVpcRestrict).*",
    ),
    Review("rds_instance_enhanced_monitoring_enabled_check", "AWS::RDS::DBInstance", reasons.INSIGHTS),
    *(
        Review(
            f"rds_instance_{rule}_check",
            "AWS::RDS::DBInstance",
            reason,
            where="Data/PostgresInstance.*",
        )
        for rule, reason in {
            "backup_enabled": reasons.ONE_MACHINE,
            "multi_az_support": reasons.ONE_MACHINE,
            "deletion_protection_enabled": reasons.DELETABLE,
            "logging_enabled": _UPGRADE_LOG,
            "no_default_ports": reasons.USUAL_PORT,
        }.items()
    ),
    Review("rds_cluster_deletion_protection_enabled_check", "AWS::RDS::DBCluster", reasons.DELETABLE),
    Review(
        "s3_bucket_default_encryption_kms_check",
        "AWS::S3::Bucket",
        _PUBLIC_FILES,
        where="Buckets/.*",
    ),
    Review("s3_bucket_logging_enabled_check", "AWS::S3::Bucket", reasons.FILES, where="Buckets/.*"),
    Review("s3_bucket_logging_enabled_check", "AWS::S3::Bucket", reasons.HISTORY, where="Compliance/.*"),
    Review("s3_bucket_object_lock_enabled_check", "AWS::S3::Bucket", _NO_OBJECT_LOCK),
    Review("s3_bucket_versioning_enabled_check", "AWS::S3::Bucket", reasons.FILES, where="Buckets/.*"),
    Review("s3_event_notifications_enabled_check", "AWS::S3::Bucket", _NOBODY_LISTENS),
    Review("sqs_dlq_check", "AWS::SQS::Queue", _LAST_STOP, where=r"Messaging/.*DeadLetters.*"),
)
