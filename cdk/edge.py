"""The one public door: CloudFront and its firewall in front of the API, and a lock on the API's own address."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk import firewall
from cdk.network import Network
from cdk.stages import Stage

PROOF_HEADER = "X-Origin-Verify"
GATEWAY_SECONDS = 30  # API Gateway itself gives up after 29
CLOUDFRONT_REGION = "us-east-1"


class Edge(Stack):
    """CloudFront with a web ACL before the API, which answers nobody else, and the address that everybody uses.

    CloudFront proves itself to the API by a header that only the two know: the regional web ACL of the API blocks what
    comes without it. Nothing is cached: answers are personal, or older than they may be after a second.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        network: Network,
        rest: apigateway.RestApi,
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        if stage.region != CLOUDFRONT_REGION:
            raise ValueError(
                f"Stage {stage.name} is in {stage.region}, but CloudFront takes web ACLs and certificates from"
                f" {CLOUDFRONT_REGION} alone: move the stage there, or give Edge an environment of its own."
            )
        self._stage, self._log_key = stage, network.log_key
        self._secrets = [self._secret(name) for name in stage.origin_keys]
        lock = self._lock(rest)
        self.firewall = self._firewall(network.addresses)
        self.distribution = self._distribution(rest)
        # A new key is admitted before it is sent.
        self.distribution.node.add_dependency(lock)
        self._tell_address(self.distribution)

    def _secret(self, name: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            f"OriginKey{name.title()}",
            description="What CloudFront proves itself with to the API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _lock(self, rest: apigateway.RestApi) -> wafv2.CfnWebACL:
        """The API's own web ACL: whoever does not come through CloudFront is turned away."""
        keys = [secret.secret_value.unsafe_unwrap() for secret in self._secrets]
        acl = wafv2.CfnWebACL(
            self,
            "Lock",
            name=f"{self._stage.prefix}-lock",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(
                block=firewall.answer(403, firewall.FORBIDDEN)
            ),
            visibility_config=firewall.visible(f"{self._stage.prefix}-lock"),
            rules=[firewall.admit_header(PROOF_HEADER, keys)],
            custom_response_bodies={firewall.FORBIDDEN: firewall.BODIES[firewall.FORBIDDEN]},
        )
        wafv2.CfnWebACLAssociation(
            self, "LockApi", resource_arn=rest.deployment_stage.stage_arn, web_acl_arn=acl.attr_arn
        )
        return acl

    def _firewall(self, own_addresses: Sequence[str]) -> wafv2.CfnWebACL:
        ours = wafv2.CfnIPSet(
            self,
            "OwnAddresses",
            description="Where calls of our own services come from",
            scope="CLOUDFRONT",
            ip_address_version="IPV4",
            addresses=[f"{address}/32" for address in own_addresses],
        )
        acl = wafv2.CfnWebACL(
            self,
            "Firewall",
            name=f"{self._stage.prefix}-firewall",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=firewall.visible(f"{self._stage.prefix}-firewall"),
            rules=firewall.rules(self._stage, ours.attr_arn),
            custom_response_bodies=firewall.BODIES,
        )
        self._log(acl)
        return acl

    def _log(self, acl: wafv2.CfnWebACL) -> None:
        """What was blocked and counted, for two weeks: with callers' addresses, without their tokens."""
        group = logs.LogGroup(
            self,
            "FirewallLog",
            log_group_name=f"aws-waf-logs-{self._stage.prefix}",  # WAF insists on how it begins
            encryption_key=self._log_key,
            retention=logs.RetentionDays.TWO_WEEKS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        wafv2.CfnLoggingConfiguration(
            self,
            "FirewallLogging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[group.log_group_arn],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in ("authorization", "cookie")
            ]
            + [wafv2.CfnLoggingConfiguration.FieldToMatchProperty(query_string={})],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [
                            {"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT")
                        ],
                    }
                ],
            },
        )

    def _distribution(self, rest: apigateway.RestApi) -> cloudfront.Distribution:
        stage, certificate, oldest_tls = (
            self._stage,
            None,
            None,
        )  # with CloudFront's own name its own rules hold
        if stage.certificate is not None:
            certificate = acm.Certificate.from_certificate_arn(self, "Certificate", stage.certificate)
            oldest_tls = cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{stage.prefix}: the API",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.HttpOrigin(
                    f"{rest.rest_api_id}.execute-api.{self.region}.{self.url_suffix}",
                    origin_path=f"/{stage.name}",
                    protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                    origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    read_timeout=Duration.seconds(GATEWAY_SECONDS),
                    custom_headers={PROOF_HEADER: self._secrets[-1].secret_value.unsafe_unwrap()},
                ),
                allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                compress=True,
            ),
            domain_names=None if stage.domain is None else [stage.domain],
            certificate=certificate,
            minimum_protocol_version=oldest_tls,
            # Whoever has one IPv6 address has 2^64 of them: a limit by address would be none.
            enable_ipv6=False,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            web_acl_id=self.firewall.attr_arn,
        )

    def _tell_address(self, distribution: cloudfront.Distribution) -> None:
        """Services call each other, and mails link to the API, at an address that is known only now."""
        own = f"https://{distribution.distribution_domain_name}"
        address = own if self._stage.domain is None else f"https://{self._stage.domain}"
        told = {"api_url": address, "public_url": self._stage.public_url or address}
        for name, value in told.items():
            ssm.StringParameter(
                self,
                "".join(word.title() for word in name.split("_")),
                parameter_name=f"{self._stage.parameters}/{name}",
                string_value=value,
            )
        CfnOutput(self, "Address", value=address)
        CfnOutput(self, "DistributionDomain", value=distribution.distribution_domain_name)
