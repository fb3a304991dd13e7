"""How services tell each other what happened: a topic per service, a queue per consumer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from cdk import mail_events
from cdk.alarms import Alarms
from cdk.handler import Use, allow
from cdk.stages import Stage

TRIES = 5
WHO_RING = ("cloudwatch", "events", "events.rds")
"""Who puts something on the topic of alarms: alarms, EventBridge's rules, and RDS's events."""
GIVE_BACK_SECONDS = 5
"""How long after a consumer's timeout its messages are there again."""


@dataclass(frozen=True)
class Queue:
    """A queue, as a service's table declares it.

    Attributes:
        name: without the stage. Its dead letters are in `<name>-dead-letters`.
        topic: the service whose messages it gets (or `ses`, for what SES tells of mails); None if functions send to
            it directly.
        types: the types of messages it wants from the topic; all of them if empty.
        bucket: the bucket whose uploads S3 tells it of.
        seconds: how long its consumer may take over a batch.
        concurrency: how many batches at once, so that a flood of messages does not become one of database connections.
    """

    name: str
    topic: str | None = None
    types: tuple[str, ...] = ()
    bucket: str | None = None
    seconds: int = 30
    concurrency: int = 5


class DeclaredQueue(Construct):
    """A queue with its dead-letter queue, the alarm on that, and its subscription."""

    def __init__(self, scope: "Messaging", row: Queue, stage: Stage) -> None:
        super().__init__(scope, "".join(word.title() for word in row.name.split("-")))
        self.row, self._key, prefix = row, scope.key, stage.prefix
        self._dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{prefix}-{row.name}-dead-letters",
            retention_period=Duration.days(14),
            encryption_master_key=scope.key,
            enforce_ssl=True,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=f"{prefix}-{row.name}",
            # A consumer that dies gives its batch back only when this is over, and somebody waits for it: a buyer for a
            # payment, a new user for a link. So it is as short as Lambda allows, and not the six timeouts that AWS
            # advises for mappings that are throttled: `max_concurrency` keeps ours from being that.
            visibility_timeout=Duration.seconds(row.seconds + GIVE_BACK_SECONDS),
            retention_period=Duration.days(14),
            encryption_master_key=scope.key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self._dead_letters, max_receive_count=TRIES),
        )
        self.name = f"{prefix}-{row.name}"
        self._alarm(stage, scope.alarms)
        if row.topic is not None:
            self._subscribe(scope.topics[row.topic])
        if row.bucket is not None:
            self._admit_bucket(stage.bucket(row.bucket))

    def send(self, function: lambda_.Function) -> None:
        """A use: send messages to the queue."""
        allow(function, ["sqs:SendMessage"], self.arn_for(function))
        allow(function, ["kms:Decrypt", "kms:GenerateDataKey"], self._key.key_arn)
        variable = f"QUEUE_{self.row.name.upper().replace('-', '_')}_URL"
        there = Stack.of(function)
        url = f"https://sqs.{there.region}.{there.url_suffix}/{there.account}/{self.name}"
        function.add_environment(variable, url)

    def arn_for(self, other: IConstruct) -> str:
        """The queue's ARN by its name, for what lies in another stack, which is deployed after the queue.

        By reference, no release could take a queue away (`cdk.handler.Handler.called_by` says why).
        """
        return _by_name(self, other, "sqs", self.name)

    def consume(self, function: lambda_.Function) -> None:
        """A use: take messages from the queue, as Lambda does with the function's role."""
        receive = [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        ]
        allow(function, receive, self.arn_for(function))
        allow(function, ["kms:Decrypt"], self._key.key_arn)

    def feed(self, consumer: lambda_.IFunction) -> None:
        """Have Lambda feed the queue to `consumer`, which says by itself which messages of a batch failed."""
        consumer.add_event_source_mapping(
            "Queue",
            event_source_arn=self.arn_for(consumer),
            batch_size=10,
            report_batch_item_failures=True,
            max_concurrency=self.row.concurrency,
        )

    def _subscribe(self, topic: sns.ITopic) -> None:
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        types = sns.SubscriptionFilter.string_filter(allowlist=list(self.row.types))
        sns.Subscription(
            self,
            "Subscription",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.queue.queue_arn,
            raw_message_delivery=True,
            filter_policy={"type": types} if self.row.types else None,
        )

    def _admit_bucket(self, name: str) -> None:
        """S3 asks for this before it lets the bucket (which lies in a stack above) name the queue."""
        stack = Stack.of(self)
        bucket = f"arn:{stack.partition}:s3:::{name}"
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": bucket},
                    "StringEquals": {"aws:SourceAccount": stack.account},
                },
            )
        )

    def _alarm(self, stage: Stage, alarms: sns.ITopic) -> None:
        Alarms(self, stage, alarms).on(
            f"DeadLettersOf{self.node.id}",
            self._dead_letters.metric_approximate_number_of_messages_visible(period=Duration.minutes(1)),
            f"A message of {self.row.name} failed {TRIES} times: read it, mend the cause, redrive.",
            page="dead-letters",
        )


def _by_name(this: IConstruct, other: IConstruct, service: str, name: str) -> str:
    """The ARN of `this`, with no more than its name known to the stack of `other`."""
    stack = Stack.of(other)
    stack.add_stack_dependency(Stack.of(this))
    return stack.format_arn(service=service, resource=name)


class Messaging(Stack):
    """All topics and queues, in one stack below the services, so that any of them may send to any queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        services: Sequence[str],
        queues: Sequence[Queue],
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        self.key = self._encryption_key(stage)
        self.alarms = self._alarm_topic(stage)
        self.topics = {name: self._topic(name.title(), f"{stage.prefix}-{name}") for name in services}
        self.topics[mail_events.TOPIC] = self._topic("Ses", f"{stage.prefix}-{mail_events.TOPIC}")
        self.report_mails: Use = mail_events.MailEvents(
            self, "MailEvents", prefix=stage.prefix, topic=self.topics[mail_events.TOPIC]
        ).report
        self._queues = {row.name: DeclaredQueue(self, row, stage) for row in queues}
        self.queue_names = list(self._queues)

    def publish(self, service: str) -> Use:
        """A use: publish to the topic of `service`."""
        topic, name = self.topics[service], f"{self._stage.prefix}-{service}"

        def use(function: lambda_.Function) -> None:
            arn = _by_name(topic, function, "sns", name)
            allow(function, ["sns:Publish"], arn)
            allow(function, ["kms:Decrypt", "kms:GenerateDataKey"], self.key.key_arn)
            function.add_environment("TOPIC_ARN", arn)

        return use

    def send(self, queue: str) -> Use:
        """A use: send messages to `queue`."""
        return self._queues[queue].send

    def queue(self, name: str) -> DeclaredQueue:
        """The queue of that name, for the consumer that belongs to it."""
        return self._queues[name]

    def _topic(self, id: str, name: str) -> sns.Topic:
        return sns.Topic(
            self,
            id,
            topic_name=name,
            master_key=self.key,
            enforce_ssl=True,
            tracing_config=sns.TracingConfig.ACTIVE,
        )

    def _alarm_topic(self, stage: Stage) -> sns.Topic:
        topic = self._topic("Alarms", f"{stage.prefix}-alarms")
        # A topic's policy replaces AWS's default one, which is what lets CloudWatch in.
        for service in WHO_RING:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions=self._from_here(service),
                )
            )
        for number, address in enumerate(stage.alarm_addresses):
            sns.Subscription(
                self,
                f"OnCall{number or ''}",
                topic=topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=address,
            )
        return topic

    def _encryption_key(self, stage: Stage) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{stage.prefix}-messaging",
            enable_key_rotation=True,
            pending_window=stage.key_window,
            removal_policy=stage.removal,
        )
        # Topics and buckets deliver to queues, SES and alarms to topics, under the services' own names.
        # Without this they fail, and nobody is told.
        for service in ("sns", "s3", "ses", *WHO_RING):
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],  # in a key's policy: this key
                    conditions=self._for_mails(stage) if service == "ses" else self._from_here(service),
                )
            )
        return key

    def _for_mails(self, stage: Stage) -> dict[str, dict[str, str]]:
        """Only for the topic of mails, which itself asks SES for the account. That SES says it to the key, too, is
        written nowhere, and its test message would fail; the topic is said by SNS, as the context of encryption:
        https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html
        """
        arn = self.format_arn(service="sns", resource=f"{stage.prefix}-{mail_events.TOPIC}")
        return {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": arn}}

    def _from_here(self, service: str) -> dict[str, dict[str, str]] | None:
        """Only for what happens in this account. EventBridge does not say whose its events are when it writes to an
        encrypted topic: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        """
        return None if service == "events" else {"StringEquals": {"aws:SourceAccount": self.account}}
