"""What SES tells of the mails that it took: a configuration set that publishes to a topic."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.handler import allow

TOPIC = "ses"
EVENTS = ["send", "delivery", "deliveryDelay", "bounce", "complaint", "reject"]


class MailEvents(Construct):
    """Mails sent with this configuration set are reported to `topic`, which SES may publish to for our account only."""

    def __init__(self, scope: Construct, id: str, *, prefix: str, topic: sns.Topic) -> None:
        super().__init__(scope, id)
        account = Stack.of(self).account
        self._set = ses.CfnConfigurationSet(
            self,
            "Set",
            name=prefix,
            # A list of SES's own beside ours would refuse mails without a word to us.
            suppression_options=ses.CfnConfigurationSet.SuppressionOptionsProperty(suppressed_reasons=[]),
        )
        policy = topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            )
        )
        destination = ses.CfnConfigurationSetEventDestination(
            self,
            "Destination",
            configuration_set_name=self._set.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                name="topic",
                enabled=True,
                matching_event_types=EVENTS,
                sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                    topic_arn=topic.topic_arn
                ),
            ),
        )
        if policy.policy_dependable is not None:  # SES publishes a test message first
            destination.node.add_dependency(policy.policy_dependable)

    def report(self, function: lambda_.Function) -> None:
        """A use: have SES tell what becomes of the mails that the function sends."""
        arn = Stack.of(self).format_arn(
            service="ses", resource="configuration-set", resource_name=self._set.ref
        )
        allow(function, ["ses:SendEmail", "ses:SendRawEmail"], arn)
        function.add_environment("SES_CONFIGURATION_SET", self._set.ref)
