"""Resource types that the laptop cloud knows and does not run, each with the reason.

Anything that is neither here nor run by `local.assembly` stops the start with an error, so that a resource added to
the CDK app is never dropped in silence.
"""

from __future__ import annotations

_NETWORK = "one machine: every part listens on the loopback address"
_STANDS_IN = "the launcher's own process stands in; functions get its address from the resource's attributes"
_WATCHING = "nobody is paged on a laptop; logs are files"
_MAILS = (
    "the emulator's SES tells nothing of mails; `POST /_local/emails/{id}/…` puts its events on the topic"
)
_DOOR = "the gateway is reached directly, by one developer"
_FLAGS = "the document of flags is a file, and each change of it counts within seconds"
_ROLLOUT = "the newest code is the only version, and answers by the alias `live` at once"
_STAGE = "the gateway serves the one stage as it is in the template"

NOT_RUN: dict[str, str] = {
    "AWS::ApiGateway::Account": _WATCHING,
    "AWS::ApiGateway::Deployment": _STAGE,
    "AWS::AppConfig::Application": _FLAGS,
    "AWS::AppConfig::ConfigurationProfile": _FLAGS,
    "AWS::AppConfig::Deployment": _FLAGS,
    "AWS::AppConfig::DeploymentStrategy": _FLAGS,
    "AWS::AppConfig::Environment": _FLAGS,
    "AWS::CloudFront::OriginAccessControl": "pictures are read by the rights of their distribution, unsigned",
    "AWS::CloudFront::ResponseHeadersPolicy": "the gateway sends the same headers",
    "AWS::CloudTrail::Trail": _WATCHING,
    "AWS::CloudWatch::Alarm": _WATCHING,
    "AWS::Config::ConfigRule": _WATCHING,
    "AWS::Config::ConfigurationRecorder": _WATCHING,
    "AWS::Config::DeliveryChannel": _WATCHING,
    "AWS::CloudWatch::CompositeAlarm": _WATCHING,
    "AWS::CloudWatch::Dashboard": _WATCHING,
    "AWS::CodeDeploy::Application": _ROLLOUT,
    "AWS::CodeDeploy::DeploymentGroup": _ROLLOUT,
    "AWS::EC2::EIP": _NETWORK,
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::NatGateway": _NETWORK,
    "AWS::EC2::Route": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::FlowLog": _NETWORK,
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::VPCEndpoint": _NETWORK,
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::ElastiCache::ServerlessCache": _STANDS_IN,
    "AWS::ElastiCache::User": _STANDS_IN,
    "AWS::ElastiCache::UserGroup": _STANDS_IN,
    "AWS::Events::Rule": _WATCHING,
    "AWS::KMS::Alias": "nobody asks for a key by its alias",
    "AWS::Lambda::EventInvokeConfig": "a tick that fails is made good by the next one, here as there",
    "AWS::Lambda::LayerVersion": "put on the import path of the functions that name it",
    "AWS::Logs::LogGroup": _WATCHING,
    "AWS::RDS::DBCluster": _STANDS_IN,
    "AWS::RDS::DBClusterParameterGroup": _STANDS_IN,
    "AWS::RDS::DBInstance": _STANDS_IN,
    "AWS::RDS::DBParameterGroup": _STANDS_IN,
    "AWS::RDS::DBProxy": _STANDS_IN,
    "AWS::RDS::DBProxyEndpoint": _STANDS_IN,
    "AWS::RDS::DBProxyTargetGroup": _STANDS_IN,
    "AWS::RDS::DBSubnetGroup": _STANDS_IN,
    "AWS::RDS::EventSubscription": _WATCHING,
    "AWS::SES::ConfigurationSet": _MAILS,
    "AWS::SES::ConfigurationSetEventDestination": _MAILS,
    "AWS::WAFv2::IPSet": _DOOR,
    "AWS::WAFv2::LoggingConfiguration": _DOOR,
    "AWS::WAFv2::WebACL": _DOOR,
    "AWS::WAFv2::WebACLAssociation": _DOOR,
    "AWS::XRay::ResourcePolicy": _WATCHING,
    "AWS::XRay::SamplingRule": _WATCHING,
    "Custom::VpcRestrictDefaultSG": _NETWORK,
}
