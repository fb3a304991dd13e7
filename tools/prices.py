"""What AWS asks for, in US dollars: list prices of us-east-1, without free tiers that end, discounts and taxes.

Written down in November 2026 from the pages that stand beside them. Prices change: look there before a decision.
"""

from typing import Any

WRITTEN_DOWN = "November 2026"
REGION = "us-east-1"
HOURS = 730
"""In a month."""

RDS = "https://aws.amazon.com/rds/postgresql/pricing/"
AURORA = "https://aws.amazon.com/rds/aurora/pricing/"
INSTANCE_HOUR = {"db.t4g.micro": 0.016, "db.t4g.small": 0.032, "db.t4g.medium": 0.065, "db.m7g.large": 0.168}
AURORA_HOUR = {"db.t4g.medium": 0.073, "db.r7g.large": 0.276, "db.r8g.large": 0.276}
RDS_GIGABYTE, AURORA_GIGABYTE, AURORA_MILLION_IOS = 0.115, 0.10, 0.20
PROXY = "https://aws.amazon.com/rds/proxy/pricing/"
PROXY_VCPU_HOUR, VCPUS = 0.015, 2  # every class above has two
ENDPOINT_ZONE_HOUR = (
    0.01  # a proxy's second endpoint is an interface endpoint: https://aws.amazon.com/privatelink/pricing/
)

NAT = "https://aws.amazon.com/vpc/pricing/"
NAT_HOUR, NAT_GIGABYTE, ADDRESS_HOUR = 0.045, 0.045, 0.005
CACHE = "https://aws.amazon.com/elasticache/pricing/"
CACHE_GIGABYTE_HOUR, CACHE_LEAST_GIGABYTES, CACHE_MILLION_UNITS = 0.084, 0.1, 0.0023
KMS = "https://aws.amazon.com/kms/pricing/"
KEY, KMS_CALL = 1.0, 0.03 / 10_000
SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
SECRET = 0.40
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
ALARM_METRIC, COMPOSITE_ALARM, DASHBOARD, FREE_DASHBOARDS, LOG_GIGABYTE = 0.10, 0.50, 3.0, 3, 0.50
METRIC = 0.30  # a custom one in a month; API Gateway's detailed ones are paid for alike
WAF = "https://aws.amazon.com/waf/pricing/"
WEB_ACL, WAF_RULE, WAF_REQUEST = 5.0, 1.0, 0.60 / 1_000_000
CONFIG = "https://aws.amazon.com/config/pricing/"
CONFIG_ITEM_DAILY, CONFIG_EVALUATION = 0.012, 0.001

LAMBDA = "https://aws.amazon.com/lambda/pricing/"
LAMBDA_CALL, LAMBDA_GIGABYTE_SECOND = 0.20 / 1_000_000, 0.0000133334  # arm64
PROVISIONED_GIGABYTE_SECOND = 0.0000033334  # arm64
API = "https://aws.amazon.com/api-gateway/pricing/"
API_CALL = 3.50 / 1_000_000
CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing/"
CLOUDFRONT_CALL = 1.00 / 1_000_000
STEPS = "https://aws.amazon.com/step-functions/pricing/"
TRANSITION = 0.025 / 1_000
SQS = "https://aws.amazon.com/sqs/pricing/"
SQS_CALL = 0.40 / 1_000_000
SNS = "https://aws.amazon.com/sns/pricing/"
SNS_MESSAGE = 0.50 / 1_000_000
SES = "https://aws.amazon.com/ses/pricing/"
MAIL = 0.10 / 1_000
XRAY = "https://aws.amazon.com/xray/pricing/"
TRACE = 5.00 / 1_000_000
SCHEDULER = "https://aws.amazon.com/eventbridge/pricing/"
TICK = 1.00 / 1_000_000

_DESCRIBES = "describes something else, which is priced"
_PER_USE = "paid for by use alone: see the orders below"
_NOTHING = "AWS asks nothing for it"

FREE: dict[str, str] = {
    **dict.fromkeys(
        (
            "AWS::ApiGateway::Account",
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGateway::Deployment",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
            "AWS::ApiGateway::Resource",
            "AWS::CloudFront::OriginAccessControl",
            "AWS::CloudFront::ResponseHeadersPolicy",
            "AWS::Config::DeliveryChannel",
            "AWS::ElastiCache::User",
            "AWS::ElastiCache::UserGroup",
            "AWS::KMS::Alias",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::LayerVersion",
            "AWS::Lambda::Permission",
            "AWS::Lambda::Version",
            "AWS::RDS::DBClusterParameterGroup",
            "AWS::RDS::DBParameterGroup",
            "AWS::RDS::DBProxyTargetGroup",
            "AWS::RDS::DBSubnetGroup",
            "AWS::S3::BucketPolicy",
            "AWS::SES::ConfigurationSet",
            "AWS::SES::ConfigurationSetEventDestination",
            "AWS::SES::EmailIdentity",
            "AWS::SNS::Subscription",
            "AWS::SNS::TopicPolicy",
            "AWS::SQS::QueuePolicy",
            "AWS::WAFv2::IPSet",
            "AWS::WAFv2::LoggingConfiguration",
            "AWS::WAFv2::WebACLAssociation",
            "AWS::XRay::ResourcePolicy",
            "AWS::XRay::SamplingRule",
            "Custom::Trigger",
            "Custom::VpcRestrictDefaultSG",
        ),
        _DESCRIBES,
    ),
    **dict.fromkeys(
        (
            "AWS::ApiGateway::RestApi",
            "AWS::AppConfig::Application",
            "AWS::AppConfig::ConfigurationProfile",
            "AWS::AppConfig::Deployment",
            "AWS::AppConfig::DeploymentStrategy",
            "AWS::AppConfig::Environment",
            "AWS::AppConfig::HostedConfigurationVersion",
            "AWS::CloudFront::Distribution",
            "AWS::EC2::FlowLog",
            "AWS::Lambda::Function",
            "AWS::Logs::LogGroup",
            "AWS::S3::Bucket",
            "AWS::SNS::Topic",
            "AWS::SQS::Queue",
            "AWS::StepFunctions::StateMachine",
        ),
        _PER_USE,
    ),
    **dict.fromkeys(
        (
            "AWS::CloudTrail::Trail",  # an account's first, and its data events are a cent a month
            "AWS::CodeDeploy::Application",  # to Lambda
            "AWS::CodeDeploy::DeploymentConfig",
            "AWS::CodeDeploy::DeploymentGroup",
            "AWS::EC2::InternetGateway",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::Subnet",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPC",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::Events::Rule",  # of AWS's own events
            "AWS::IAM::ManagedPolicy",
            "AWS::IAM::Policy",
            "AWS::IAM::Role",
            "AWS::RDS::EventSubscription",
            "AWS::SSM::Parameter",  # standard ones
        ),
        _NOTHING,
    ),
}
"""Types of resources that cost nothing as long as nothing happens, each with the reason."""

OPTIONS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("AWS::ApiGateway::Stage", "CacheClusterEnabled"): (False,),
    ("AWS::Lambda::Function", "EphemeralStorage"): ({"Size": 512},),
    ("AWS::Lambda::Function", "SnapStart"): (),
    ("AWS::RDS::DBCluster", "DatabaseInsightsMode"): ("standard",),
    ("AWS::RDS::DBCluster", "StorageType"): ("aurora",),
    ("AWS::RDS::DBInstance", "DatabaseInsightsMode"): ("standard",),
    ("AWS::RDS::DBInstance", "Iops"): (),
    ("AWS::RDS::DBInstance", "MonitoringInterval"): (0,),
    ("AWS::RDS::DBInstance", "PerformanceInsightsRetentionPeriod"): (7,),
    ("AWS::SSM::Parameter", "Tier"): ("Standard",),
}
"""Options of types whose price above is without them: by type and property, the values that cost nothing more."""


def rules_of(acl: dict[str, Any]) -> int:
    """How many rules of a web ACL are paid for: each, whether it is a group of AWS's or one of ours."""
    return len(acl.get("Rules", ()))
