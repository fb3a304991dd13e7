"""Messages that the emulated SQS accepted are there again after it was killed."""

from pathlib import Path
from typing import Any

import boto3

from tests.small_cloud import emulator

ATTRIBUTES = {"type": {"DataType": "String", "StringValue": "auth.user_changed.v1"}}


def sqs_at(url: str) -> Any:
    return boto3.client("sqs", endpoint_url=url)


def queue_at(url: str, name: str = "mail") -> str:
    return str(sqs_at(url).create_queue(QueueName=name)["QueueUrl"])


def bodies(url: str, queue: str) -> list[str]:
    found = sqs_at(url).receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    )
    assert all(m["MessageAttributes"]["type"]["StringValue"] for m in found.get("Messages", []))
    return sorted(message["Body"] for message in found.get("Messages", []))


def test_an_accepted_message_survives_and_a_deleted_one_does_not(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as url:
        queue = queue_at(url)
        for body in ("kept", "handled", "received but not deleted"):
            sqs_at(url).send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=ATTRIBUTES)
        for message in sqs_at(url).receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]:
            if message["Body"] == "handled":
                sqs_at(url).delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    with emulator(tmp_path, lambda_port=9) as url:
        assert bodies(url, queue_at(url)) == ["kept", "received but not deleted"]


def test_what_a_topic_delivered_survives(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as url:
        queue = queue_at(url)
        sns = boto3.client("sns", endpoint_url=url)
        topic = sns.create_topic(Name="auth")["TopicArn"]
        arn = sqs_at(url).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        sns.publish(TopicArn=topic, Message="told", MessageAttributes=ATTRIBUTES)

    with emulator(tmp_path, lambda_port=9) as url:
        assert bodies(url, queue_at(url)) == ["told"]


def test_a_purged_queue_stays_empty_and_another_queue_keeps_its_own(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as url:
        for name in ("mail", "other"):
            sqs_at(url).send_message(
                QueueUrl=queue_at(url, name), MessageBody=name, MessageAttributes=ATTRIBUTES
            )
        sqs_at(url).purge_queue(QueueUrl=queue_at(url))

    with emulator(tmp_path, lambda_port=9) as url:
        assert bodies(url, queue_at(url)) == []
        assert bodies(url, queue_at(url, "other")) == ["other"]
