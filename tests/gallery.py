"""The bucket of pictures and whoever uploads to it, for tests of the events service; and files to upload."""

import io
import json
import struct
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from PIL import Image

from functions.events.consumers import images as consumer
from tests.cloud import ACCOUNT
from tests.programme import Programme
from tests.support import Reply, context

BUCKET = "box-office-dev-pictures"
QUEUE = "box-office-dev-events-images"


def jpeg(size: tuple[int, int] = (1200, 900), colour: str = "red", **options: Any) -> bytes:
    """A picture in one colour."""
    return saved(Image.new("RGB", size, colour), "JPEG", **options)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """A file of this picture."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    """The picture of a file, unpacked."""
    image: Image.Image = Image.open(io.BytesIO(content))
    image.load()
    return image


def png_bomb(width: int, height: int) -> bytes:
    """A small PNG that says that it has so many pixels, and unpacks to a great many."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * 10_000_000, 9)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def multipart(fields: dict[str, str], content: bytes) -> tuple[bytes, str]:
    """A form with a file as its last field, as browsers and `curl -F` send it; and its content type."""
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="picture"\r\n\r\n'
    body = b"".join(parts) + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def post_form(url: str, fields: dict[str, str], content: bytes, **headers: str) -> int:
    """Send the form; the status of the answer."""
    body, content_type = multipart(fields, content)
    request = urllib.request.Request(url, body, {"Content-Type": content_type, **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@dataclass
class Gallery:
    """The bucket, the queue that S3 tells of uploads, and the consumer that reads it."""

    programme: Programme

    def __post_init__(self) -> None:
        self.s3, self.sqs = boto3.client("s3"), boto3.client("sqs")
        self._url = self.sqs.create_queue(QueueName=QUEUE, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
        self.s3.create_bucket(Bucket=BUCKET)
        told: dict[str, Any] = {
            "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{QUEUE}",
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "uploads/"}]}},
        }
        self.s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
        )

    @classmethod
    def opened(cls, programme: Programme, environment: pytest.MonkeyPatch) -> "Gallery":
        """A gallery that the code under test finds."""
        environment.setenv("PICTURES_BUCKET", BUCKET)
        return cls(programme)

    def ask(self, event: dict[str, Any], **changes: Any) -> Reply:
        """Ask for a form."""
        body = {"contentType": "image/jpeg", "size": 5_000_000} | changes
        return self.programme.ask("upload_image", body, id=event["id"], user=self.programme.organizer)

    def upload(self, event: dict[str, Any], content: bytes, type: str = "image/jpeg") -> dict[str, Any]:
        """Ask for a form and send it; the form."""
        form: dict[str, Any] = self.ask(event, contentType=type, size=len(content)).body
        assert post_form(form["uploadUrl"], form["fields"], content) == 204
        return form

    def messages(self) -> list[dict[str, Any]]:
        """What S3 has told so far and nobody has taken, as records for the consumer; they stay until `told`."""
        found: list[dict[str, Any]] = []
        while batch := self.sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(self.record(json.loads(message["Body"])))
                self.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def record(self, body: Any) -> dict[str, Any]:
        """The record in which Lambda hands this message to the consumer."""
        return {
            "messageId": str(uuid4()),
            "receiptHandle": "receipt",
            "body": json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{QUEUE}",
            "awsRegion": "us-east-1",
        }

    def take(self, records: list[dict[str, Any]] | None = None) -> list[dict[str, str]]:
        """Let the consumer take these records (all there are); which failed."""
        answer = consumer.handler({"Records": self.messages() if records is None else records}, context())
        failures: list[dict[str, str]] = answer["batchItemFailures"]
        return failures

    def keys(self, prefix: str = "") -> set[str]:
        """What lies in the bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {item["Key"] for item in found}

    def picture(self, url: str) -> Image.Image:
        """The picture that is shown at an address."""
        key = url.replace("https://pictures.example", "public")
        return opened(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def own(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event as its organizer sees it."""
        body: dict[str, Any] = self.programme.ask(
            "my_event", id=event["id"], user=self.programme.organizer
        ).body
        return body
