"""What tools that read the templates would have otherwise, and why it stays as it is: one row per rule and type.

checkov finds its rows in each resource's metadata, where it looks for them. cdk-nag finds them as acknowledgements
(`cdk synth -c nag=report`). Control Tower's Guard rules cannot be told: the test that runs them reads its rows here.
How each tool is run, and what it said at first, is in docs/decisions/0033.
"""

import re
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

Tool = Literal["checkov", "cdk-nag", "guard"]


@dataclass(frozen=True)
class Review:
    """A rule of a tool that does not hold for resources of a type, and the reason.

    `type` and `where` (the construct's path) are regular expressions for the whole, and so is a `rule` of checkov's.
    One of cdk-nag's is as it is told there after `AwsSolutions-`, with what is found in brackets where that may be
    several things; `{stage}` in it is the stage's name. Guard knows no construct: there, `where` is the stack and the
    logical id, as in `Api/AccessLogD598EBE9`.
    """

    tool: Tool
    rule: str
    type: str
    reason: str
    where: str = ".*"


_DEAD_LETTERS = (
    "Callers wait for an answer (API Gateway, Step Functions) or the queue has dead letters of its own; a scheduled "
    "tick that fails raises an alarm and is made good by the next one."
)
_CONCURRENCY = (
    "Reserved only where something behind must be protected: a number for each would take the whole account's 1,000 "
    "and refuse buyers while capacity is idle."
)
_VARIABLES = "Encrypted by Lambda's own key; no variable is a secret: those are read from Secrets Manager."
_INTERFACES = (
    "Names of network interfaces are not known in advance; a Deny keeps the function's code from using it."
)
_PUBLIC = (
    "Public by its row in cdk/services, or signed by a provider; CloudFront and the firewall stand before it."
)
_TRIGGER = "The CDK's own: it calls one function while a stack is deployed, and needs nothing in the VPC."
_CACHING = "What may be cached says so itself and is, in CloudFront and Valkey; stock must be today's."
_FILES = (
    "Pictures are public and never change under their address, exports last days: nothing to log or restore."
)
_PICTURES = "Public files that never change under their address: no input to filter, nothing worth a log."
_NAME = "Under CloudFront's own name AWS chooses the certificate and its protocols; with a domain it is TLSv1.2_2021."
_ORIGIN = (
    "Read by CloudFormation alone, of no use without the API's address, replaced by adding a second one."
)
_EXPRESSIONS = (
    "Only the way that CloudFront takes ends here; Log4j's strings are refused by the firewall before it."
)

_ROTATION = "Another company's key, or CloudFront's: it is replaced by hand, by a page of the run book."
_OWN_ROTATION = "A job of ours makes the next key days before it is used: published, used, retired."
_HISTORY = "CloudTrail signs what it writes; who reads the bucket is an event of the trail."
_ACCESS = "The API's access log has a line for each request; what the firewall refuses is counted by rule."
_FLOWS = "A stage without flow logs has nobody's data and is the cheapest thing that works."
_RUNTIME = "The newest version that all compiled libraries are built for."
_VALIDATION = "The functions hold each body to their models, and name the field that is wrong."
_ASSOCIATED = "The stack of the edge associates one, which this rule does not see."
_AUTHORIZER = "Our authorizer keeps sessions that end at once, which Cognito's tokens do not."
_AWS_POLICY = "The policy that AWS keeps for this service's role, and changes as the service does."
_INTERFACES_AND_TRACES = (
    "X-Ray and Lambda's network interfaces have no names to allow; a Deny keeps the code from the latter."
)
_DELIVERY = "The actions by which logs are delivered take no resource."
_ALARMS = "The CDK's own, for AppConfig: it may look at alarms, which have no names that it could know."
_SETTINGS = "The folder of this stage's settings, read as one."
_ONE_FOLDER = "One folder, or one name in all folders, of files whose names nobody knows in advance."
_EXPORTS = "box-office-{stage}-buckets:ExportsOutputFnGetAttExportsBucket54D5CE64Arn6A916143"
_PICTURE_FILES = "box-office-{stage}-buckets:ExportsOutputFnGetAttPicturesBucket93B3B90BArn59CA23EE"
_SERVICES = ("events", "tickets", "payments", "notifications")
_OF_SERVICE = "iam::aws:policy/service-role"

_OTHER_STACK = "It is there, in another stack, where a rule that reads one template does not look."
_RETENTION = (
    "Two weeks to three months, by stage: nothing in a log is needed for longer than a dispute takes."
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
_INSIGHTS = "CloudWatch's figures have what the alarms need; a cluster has Performance Insights, too."
_ONE_MACHINE = "Dev has one machine and a day of backups: its data is nobody's, and it costs a tenth."
_DELETABLE = "Only a stage whose data is somebody's refuses to be deleted: prod does."
_USUAL_PORT = "Another port protects nothing: the proxies alone reach it."
_UPGRADE_LOG = "The other log is of major upgrades, which somebody watches while they are done."
_LAST_STOP = "A dead-letter queue is the last one: what is in it raises an alarm, and waits for an operator."

REVIEWS: tuple[Review, ...] = (
    Review("checkov", "CKV_AWS_116", "AWS::Lambda::Function", _DEAD_LETTERS),
    Review("checkov", "CKV_AWS_115", "AWS::Lambda::Function", _CONCURRENCY),
    Review("checkov", "CKV_AWS_173", "AWS::Lambda::Function", _VARIABLES),
    Review("checkov", "CKV_AWS_117", "AWS::Lambda::Function", _TRIGGER, where=r".*/AWSCDK\.Trigger.*"),
    Review("checkov", "CKV_AWS_117", "AWS::Lambda::Function", _TRIGGER, where=r"Network/Custom::.*"),
    Review("checkov", "CKV_AWS_118", "AWS::RDS::DBInstance", _INSIGHTS),
    Review("checkov", "CKV_AWS_157", "AWS::RDS::DBInstance", _ONE_MACHINE, where="Data/Postgres/.*"),
    Review("checkov", "CKV_AWS_86", "AWS::CloudFront::Distribution", _ACCESS, where="Edge/.*"),
    Review("checkov", "CKV_AWS_111", "AWS::IAM::Policy", _INTERFACES),
    Review("checkov", "CKV_AWS_59", "AWS::ApiGateway::Method", _PUBLIC),
    Review("checkov", "CKV_AWS_120", "AWS::ApiGateway::Stage", _CACHING),
    Review("checkov", "CKV_AWS_(18|21)", "AWS::S3::Bucket", _FILES),
    Review(
        "checkov", "CKV_AWS_(68|86)", "AWS::CloudFront::Distribution", _PICTURES, where="Buckets/Pictures/.*"
    ),
    Review("checkov", "CKV_AWS_174", "AWS::CloudFront::Distribution", _NAME),
    Review("checkov", "CKV_AWS_149", "AWS::SecretsManager::Secret", _ORIGIN, where="Edge/.*"),
    Review("checkov", "CKV_AWS_192", "AWS::WAFv2::WebACL", _EXPRESSIONS, where="Edge/Lock"),
    Review(
        "cdk-nag", "SMG4", "AWS::SecretsManager::Secret", _OWN_ROTATION, where="Data/(Token|Ticket)Keys/.*"
    ),
    Review(
        "cdk-nag",
        "SMG4",
        "AWS::SecretsManager::Secret",
        _ROTATION,
        where="(Data/(Stripe|Paypal|Sendgrid|Canary)|Edge/OriginKey.*)/.*",
    ),
    Review("cdk-nag", "S1", "AWS::S3::Bucket", _FILES, where="Buckets/.*"),
    Review("cdk-nag", "S1", "AWS::S3::Bucket", _HISTORY, where="Compliance/.*"),
    Review(
        "cdk-nag", "CFR1", "AWS::CloudFront::Distribution", "Tickets are sold to whoever comes to the show."
    ),
    Review("cdk-nag", "CFR2", "AWS::CloudFront::Distribution", _PICTURES, where="Buckets/Pictures/.*"),
    Review("cdk-nag", "CFR3", "AWS::CloudFront::Distribution", _PICTURES, where="Buckets/Pictures/.*"),
    Review("cdk-nag", "CFR3", "AWS::CloudFront::Distribution", _ACCESS, where="Edge/.*"),
    Review("cdk-nag", "CFR4", "AWS::CloudFront::Distribution", _NAME),
    Review("cdk-nag", "RDS3", "AWS::RDS::DBInstance", _ONE_MACHINE),
    Review("cdk-nag", "RDS10", "AWS::RDS::DB(Instance|Cluster)", _DELETABLE),
    Review("cdk-nag", "RDS11", "AWS::RDS::DBInstance", _USUAL_PORT),
    Review("cdk-nag", "VPC7", "AWS::EC2::VPC", _FLOWS),
    Review("cdk-nag", "L1", "AWS::Lambda::Function", _RUNTIME),
    Review("cdk-nag", "APIG2", "AWS::ApiGateway::RestApi", _VALIDATION),
    Review("cdk-nag", "APIG3", "AWS::ApiGateway::Stage", _ASSOCIATED),
    Review("cdk-nag", "APIG6", "AWS::ApiGateway::Stage", _ACCESS),
    Review("cdk-nag", "APIG4", "AWS::ApiGateway::Method", _PUBLIC),
    Review("cdk-nag", "COG4", "AWS::ApiGateway::Method", _AUTHORIZER),
    *(
        Review(
            "cdk-nag",
            f"IAM4[Policy::arn:<AWS::Partition>:{_OF_SERVICE}/{policy}]",
            "AWS::IAM::Role",
            _AWS_POLICY,
        )
        for policy in (
            "AWS_ConfigRole",
            "AWSCodeDeployRoleForLambdaLimited",
            "AmazonAPIGatewayPushToCloudWatchLogs",
        )
    ),
    Review(
        "cdk-nag",
        "IAM5[Resource::*]",
        "AWS::IAM::Policy",
        _INTERFACES_AND_TRACES,
        where="[A-Za-z]+/[A-Za-z]+/Role/DefaultPolicy/.*",
    ),
    Review("cdk-nag", "IAM5[Resource::*]", "AWS::IAM::Policy", _DELIVERY, where="Purchase/.*"),
    Review("cdk-nag", "IAM5[Resource::*]", "AWS::IAM::Role", _ALARMS, where="Delivery/Flags/.*"),
    Review(
        "cdk-nag",
        "IAM5[Resource::arn:aws:ssm:us-east-1:<AWS::AccountId>:parameter/box-office/{stage}/*]",
        "AWS::IAM::Policy",
        _SETTINGS,
    ),
    Review(
        "cdk-nag",
        "IAM5[Resource::<HistoryFiles6881AC5B.Arn>/AWSLogs/<AWS::AccountId>/Config/*]",
        "AWS::IAM::Policy",
        _ONE_FOLDER,
    ),
    *(
        Review("cdk-nag", f"IAM5[Resource::{bucket}/{files}]", "AWS::IAM::Policy", _ONE_FOLDER)
        for bucket, folders in {
            _EXPORTS: ("*.json", *(f"*/{name}.json" for name in ("box-office-data", *_SERVICES))),
            _PICTURE_FILES: ("uploads/*", "public/*"),
        }.items()
        for files in folders
    ),
    Review("guard", "api_gw_v1_execution_logging_enabled_check", "AWS::ApiGateway::Stage", _ACCESS),
    Review("guard", "cloud_trail_cloud_watch_logs_enabled_check", "AWS::CloudTrail::Trail", _TRAIL),
    *(
        Review("guard", f"cloudfront_{rule}_check", "AWS::CloudFront::Distribution", reason)
        for rule, reason in {
            "access_logs_enabled": _ACCESS,
            "custom_ssl_certificate": _CERTIFICATE,
            "security_policy": _CERTIFICATE,
            "sni_enabled": _CERTIFICATE,
            "default_root_object_configured": _NO_ROOT,
            "origin_failover_enabled": _ONE_ORIGIN,
        }.items()
    ),
    Review(
        "guard",
        "cloudwatch_alarm_action_check",
        "AWS::CloudWatch::Alarm",
        _PARTS,
        where="Operations/ErrorBudget.*",
    ),
    Review("guard", "cloudwatch_log_group_encrypted_check", "AWS::Logs::LogGroup", _OTHER_STACK),
    Review("guard", "cloudwatch_log_group_retention_period_check", "AWS::Logs::LogGroup", _RETENTION),
    Review("guard", "kms_create_grant_aws_service_check", "AWS::KMS::Key", _GRANTS),
    Review(
        "guard", "lambda_function_public_access_prohibited_check", "AWS::Lambda::Permission", _OTHER_STACK
    ),
    Review("guard", "lambda_inside_vpc_check", "AWS::Lambda::Function", _OTHER_STACK),
    Review("guard", "rds_instance_enhanced_monitoring_enabled_check", "AWS::RDS::DBInstance", _INSIGHTS),
    *(
        Review(
            "guard",
            f"rds_instance_{rule}_check",
            "AWS::RDS::DBInstance",
            reason,
            where="Data/PostgresInstance.*",
        )
        for rule, reason in {
            "backup_enabled": _ONE_MACHINE,
            "multi_az_support": _ONE_MACHINE,
            "deletion_protection_enabled": _DELETABLE,
            "logging_enabled": _UPGRADE_LOG,
            "no_default_ports": _USUAL_PORT,
        }.items()
    ),
    Review("guard", "rds_cluster_deletion_protection_enabled_check", "AWS::RDS::DBCluster", _DELETABLE),
    Review(
        "guard",
        "s3_bucket_default_encryption_kms_check",
        "AWS::S3::Bucket",
        _PUBLIC_FILES,
        where="Buckets/.*",
    ),
    Review("guard", "s3_bucket_logging_enabled_check", "AWS::S3::Bucket", _FILES, where="Buckets/.*"),
    Review("guard", "s3_bucket_logging_enabled_check", "AWS::S3::Bucket", _HISTORY, where="Compliance/.*"),
    Review("guard", "s3_bucket_object_lock_enabled_check", "AWS::S3::Bucket", _NO_OBJECT_LOCK),
    Review("guard", "s3_bucket_versioning_enabled_check", "AWS::S3::Bucket", _FILES, where="Buckets/.*"),
    Review("guard", "s3_event_notifications_enabled_check", "AWS::S3::Bucket", _NOBODY_LISTENS),
    Review("guard", "sqs_dlq_check", "AWS::SQS::Queue", _LAST_STOP, where=r"Messaging/.*DeadLetters.*"),
)


def apply(app: IConstruct, stage: str) -> None:
    """Write what the tools are to pass over to each resource, for the stage of this name."""
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource):
            _write(construct, stage)


def _write(resource: CfnResource, stage: str) -> None:
    rows = _rows_of(resource.cfn_resource_type, resource.node.path)
    skipped = [
        {"id": id, "comment": row.reason} for row in rows if row.tool == "checkov" for id in _ids(row.rule)
    ]
    if skipped:
        resource.add_metadata("checkov", {"skip": skipped})
    acknowledged = [
        Acknowledgment(id="AwsSolutions-" + row.rule.replace("{stage}", stage), reason=row.reason)
        for row in rows
        if row.tool == "cdk-nag"
    ]
    if acknowledged:
        Validations.of(resource).acknowledge(*acknowledged)


def _rows_of(type: str, path: str) -> list[Review]:
    return [row for row in REVIEWS if re.fullmatch(row.type, type) and re.fullmatch(row.where, path)]


def _ids(rule: str) -> list[str]:
    """`CKV_AWS_(18|21)` are two."""
    found = re.fullmatch(r"(.*)\(([^)]*)\)", rule)
    return [found[1] + number for number in found[2].split("|")] if found else [rule]
