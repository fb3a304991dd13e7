"""Where everything runs: one VPC, and who may open a connection to whom."""

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.log_key import log_key
from cdk.stages import Stage

PRIVATE = ec2.SubnetSelection(subnet_group_name="private")
ISOLATED = ec2.SubnetSelection(subnet_group_name="isolated")

HTTPS = ec2.Port.tcp(443)
POSTGRES = ec2.Port.tcp(5432)
CACHE = ec2.Port.tcp_range(6379, 6380)  # serverless Valkey: the primary's and the readers' port


class Network(Stack):
    """Public subnets for the NAT, private ones for the functions, isolated ones for the data.

    Stripe has to be reached, so there is a NAT gateway anyway; interface endpoints beside it would cost more than
    the traffic they take off it. The endpoint for S3 is free.

    Nothing is open to the world. Functions and migrations open connections by HTTPS to anywhere, for the addresses of
    AWS and of payment providers are not known in advance; what holds data opens none at all:

        functions ──▶ proxies ──▶ databases ◀── migrations
                └───▶ cache
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, id, **options)
        self.log_key = log_key(self, stage)
        fixed = [ec2.CfnEIP(self, f"Address{n}", domain="vpc") for n in range(1, stage.nat_gateways + 1)]
        self.addresses = [address.ref for address in fixed]
        """Where calls of the functions come from: known in advance, for lists of those who are let in."""
        self.vpc = self._vpc(stage, [address.attr_allocation_id for address in fixed])
        if stage.flow_logs:
            self._write_down_refusals(stage)
        self.functions = self._group("Functions", "The functions that serve people, queues and schedules")
        self.migrations = self._group(
            "Migrations", "The functions that reach the database servers themselves"
        )
        self.proxies = self._group("Proxies", "The proxies before the databases")
        self.databases = self._group("Databases", "The database servers")
        self.cache = self._group("Cache", "The cache")
        for group in (self.functions, self.migrations):
            group.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS and providers")
        _connect(self.functions, self.proxies, POSTGRES)
        _connect(self.functions, self.cache, CACHE)
        _connect(self.proxies, self.databases, POSTGRES)
        _connect(self.migrations, self.databases, POSTGRES)

    def _vpc(self, stage: Stage, addresses: list[str]) -> ec2.Vpc:
        return ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=stage.nat_gateways,
            nat_gateway_provider=ec2.NatProvider.gateway(eip_allocation_ids=addresses),
            restrict_default_security_group=True,  # nothing uses it, and what would by mistake reaches nobody
            gateway_endpoints={"S3": {"service": ec2.GatewayVpcEndpointAwsService.S3}},
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,  # the NAT gateways bring their own addresses
                ),
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
                ),
                ec2.SubnetConfiguration(
                    name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
        )

    def _write_down_refusals(self, stage: Stage) -> None:
        """Only what was refused: it is little, and the rest is the traffic of every purchase."""
        group = logs.LogGroup(
            self,
            "FlowLogs",
            log_group_name=f"/{stage.prefix}/flow-logs",
            encryption_key=self.log_key,
            retention=stage.logs,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "Refused",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description, allow_all_outbound=False)


def _connect(source: ec2.SecurityGroup, target: ec2.SecurityGroup, port: ec2.Port) -> None:
    """Let one group open connections to another: AWS wants it said at both ends."""
    source.connections.allow_to(target, port)
