"""Where everything runs: one VPC, and who may open a connection to whom."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.stages import Stage

PRIVATE = ec2.SubnetSelection(subnet_group_name="private")
ISOLATED = ec2.SubnetSelection(subnet_group_name="isolated")


class Network(Stack):
    """Public subnets for the NAT, private ones for the functions, isolated ones for the data.

    Stripe has to be reached, so there is a NAT gateway anyway; interface endpoints beside it would cost more than
    the traffic they take off it. The endpoint for S3 is free.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, **options: Any) -> None:
        super().__init__(scope, id, **options)
        fixed = [ec2.CfnEIP(self, f"Address{n}", domain="vpc") for n in range(1, stage.nat_gateways + 1)]
        self.addresses = [address.ref for address in fixed]
        """Where calls of the functions come from: known in advance, for lists of those who are let in."""
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=stage.nat_gateways,
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[address.attr_allocation_id for address in fixed]
            ),
            restrict_default_security_group=False,  # nothing uses it, and the cure is a custom resource
            subnet_configuration=[
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
                ec2.SubnetConfiguration(
                    name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20
                ),
                ec2.SubnetConfiguration(
                    name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
        )
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.functions = self._group("Functions", "The functions that serve people, queues and schedules")
        self.migrations = self._group(
            "Migrations", "The one function that reaches the database instance itself"
        )

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, id, vpc=self.vpc, description=description)
