"""Every queue: somebody who reads it, a place for what fails, and an alarm on that place."""

import json

from shared import contracts
from tests.infrastructure.template import Resource, System, as_list

TYPES = {
    contract.TYPE
    for contract in vars(contracts).values()
    if isinstance(contract, type) and issubclass(contract, contracts.Contract) and hasattr(contract, "TYPE")
}


def working_queues(system: System) -> list[Resource]:
    return [
        q
        for q in system.of_type("AWS::SQS::Queue")
        if not q.properties["QueueName"].endswith("-dead-letters")
    ]


def dead_letters_of(system: System, queue: Resource) -> Resource:
    return system.target(queue.stack, queue.properties["RedrivePolicy"]["deadLetterTargetArn"])


def sources(system: System) -> dict[str, Resource]:
    return {
        system.target(m.stack, m.properties["EventSourceArn"]).properties["QueueName"]: m
        for m in system.of_type("AWS::Lambda::EventSourceMapping")
    }


def test_every_queue_has_one_consumer_which_says_itself_what_failed(system: System) -> None:
    mappings = system.of_type("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(sources(system))
    assert set(sources(system)) == {queue.properties["QueueName"] for queue in working_queues(system)}
    for mapping in mappings:
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.properties["BatchSize"] == 10


def test_every_queue_has_its_dead_letters_after_five_tries(system: System) -> None:
    for queue in working_queues(system):
        assert queue.properties["RedrivePolicy"]["maxReceiveCount"] == 5
        name = dead_letters_of(system, queue).properties["QueueName"]
        assert name == queue.properties["QueueName"] + "-dead-letters"


def test_every_dead_letter_raises_an_alarm(system: System) -> None:
    watched = set()
    for alarm in system.of_type("AWS::CloudWatch::Alarm"):
        for dimension in alarm.properties.get("Dimensions", []):
            if dimension["Name"] == "QueueName":
                assert alarm.properties["Threshold"] == 1
                assert alarm.properties["AlarmActions"]
                watched.add(system.target(alarm.stack, dimension["Value"]).properties["QueueName"])
    assert watched == {dead_letters_of(system, q).properties["QueueName"] for q in working_queues(system)}


def test_cloudwatch_eventbridge_and_rds_may_put_something_on_the_topic_of_alarms(system: System) -> None:
    (alarms,) = [
        t for t in system.of_type("AWS::SNS::Topic") if t.properties["TopicName"].endswith("-alarms")
    ]
    (policy,) = [
        p for p in system.of_type("AWS::SNS::TopicPolicy") if {"Ref": alarms.id} in p.properties["Topics"]
    ]
    allowed = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [(s["Principal"]["Service"], s["Action"], "Condition" in s) for s in allowed] == [
        (["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"], "sns:Publish", True),
        ("events.amazonaws.com", "sns:Publish", False),  # it names no account where a key is in between
    ]


def test_what_a_consumer_that_died_had_is_there_again_soon_after_its_time_and_not_before(
    system: System,
) -> None:
    for queue in working_queues(system):
        mapping = sources(system)[queue.properties["QueueName"]]
        consumer = system.called(mapping.stack, mapping.properties["FunctionName"])
        assert 0 < queue.properties["VisibilityTimeout"] - consumer.properties["Timeout"] <= 10
        assert mapping.properties["ScalingConfig"]["MaximumConcurrency"] >= 2  # never throttled


def test_what_sends_itself_message_after_message_is_not_stopped_as_an_endless_loop(system: System) -> None:
    """By Lambda, after the sixteenth; its own queue is among those that it may write to."""
    writers, recursive = set(), set()
    for name, mapping in sources(system).items():
        consumer = system.called(mapping.stack, mapping.properties["FunctionName"])
        own = f"QUEUE_{name.removeprefix('box-office-dev-').replace('-', '_').upper()}_URL"
        if own in system.environment(consumer):
            writers.add(consumer.properties["FunctionName"].removeprefix("box-office-dev-"))
    for function in system.functions.values():
        if function.properties.get("RecursiveLoop", "Terminate") == "Allow":
            recursive.add(function.properties["FunctionName"].removeprefix("box-office-dev-"))
    assert recursive == {"tickets-consumer-voids"}
    # Those send themselves one message: auth's own part of an export, a webhook now that its order is known.
    assert writers - recursive == {"auth-consumer-exports", "payments-consumer-webhooks"}


def test_queues_and_topics_are_encrypted_and_refuse_plain_connections(system: System) -> None:
    topics, queues = system.of_type("AWS::SNS::Topic"), system.of_type("AWS::SQS::Queue")
    assert all("KmsMasterKeyId" in resource.properties for resource in topics + queues)
    policies = system.of_type("AWS::SNS::TopicPolicy") + system.of_type("AWS::SQS::QueuePolicy")
    assert len(policies) == len(topics) + len(queues)
    assert all('{"aws:SecureTransport": "false"}' in json.dumps(policy.properties) for policy in policies)


def test_topics_may_use_the_key_of_the_queues_that_they_deliver_to(system: System) -> None:
    for queue in working_queues(system):
        key = system.target(queue.stack, queue.properties["KmsMasterKeyId"])
        statements = key.properties["KeyPolicy"]["Statement"]
        (sns,) = [s for s in statements if "sns.amazonaws.com" in as_list(s["Principal"].get("Service", []))]
        assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(sns["Action"])


def test_subscriptions_deliver_raw_and_filter_by_types_that_exist_and_their_topic_has(system: System) -> None:
    for subscription in system.of_type("AWS::SNS::Subscription"):
        assert subscription.properties["RawMessageDelivery"] is True
        topic = system.target(subscription.stack, subscription.properties["TopicArn"])
        service = topic.properties["TopicName"].removeprefix("box-office-dev-")
        types = set(subscription.properties.get("FilterPolicy", {}).get("type", []))
        assert types <= {type for type in TYPES if type.startswith(f"{service}.")}


def test_ses_tells_what_becomes_of_mails_and_somebody_listens(system: System) -> None:
    (destination,) = system.of_type("AWS::SES::ConfigurationSetEventDestination")
    told = destination.properties["EventDestination"]
    assert told["Enabled"] is True
    assert {"send", "delivery", "bounce", "complaint", "reject"} <= set(told["MatchingEventTypes"])
    topic = system.target(destination.stack, told["SnsDestination"]["TopicARN"])
    (policy,) = [
        p for p in system.of_type("AWS::SNS::TopicPolicy") if {"Ref": topic.id} in p.properties["Topics"]
    ]
    (allowed,) = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    assert "aws:SourceAccount" in allowed["Condition"]["StringEquals"]
    key = system.target(topic.stack, topic.properties["KmsMasterKeyId"])
    (used,) = [
        s
        for s in key.properties["KeyPolicy"]["Statement"]
        if "ses.amazonaws.com" in as_list(s["Principal"].get("Service", []))
    ]
    assert used["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    # What SES would have to say of itself is documented for the topic alone; this is said by SNS.
    ((context, asked),) = used["Condition"]["StringEquals"].items()
    assert context == "kms:EncryptionContext:aws:sns:topicArn"
    assert system.target(key.stack, asked).id == topic.id
    (queue,) = [
        system.target(s.stack, s.properties["Endpoint"]).properties["QueueName"]
        for s in system.of_type("AWS::SNS::Subscription")
        if system.target(s.stack, s.properties["TopicArn"]).id == topic.id
    ]
    assert queue == "box-office-dev-notifications-ses"
    sender = system.functions["functions.notifications.consumers.mail.handler"]
    assert "SES_CONFIGURATION_SET" in system.environment(sender)


def test_a_schedule_calls_its_job_and_leaves_the_next_try_to_the_next_tick(system: System) -> None:
    schedules = system.of_type("AWS::Scheduler::Schedule")
    assert schedules
    for schedule in schedules:
        target = schedule.properties["Target"]
        job = system.called(schedule.stack, target["Arn"])
        assert ".jobs." in job.properties["Handler"]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
        assert target["Input"] == "{}"


def test_every_service_s_outbox_is_swept_each_minute(system: System) -> None:
    swept = {
        system.called(s.stack, s.properties["Target"]["Arn"]).properties["Handler"]
        for s in system.of_type("AWS::Scheduler::Schedule")
        if s.properties["ScheduleExpression"] == "rate(1 minute)"
    }
    for service in ("auth", "events", "tickets", "payments", "notifications"):
        assert f"functions.{service}.jobs.sweep_messages.handler" in swept
